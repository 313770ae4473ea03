"""Make a picture part of a page: inks that follow its theme, names of its own, few characters."""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from extensions.figures.paths import shortened

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)

# The inks of _config/matplotlibrc and gdla.plots.
INKS = {
    "#1f2328": "var(--pst-color-text-base, #1f2328)",
    "#59636e": "var(--pst-color-text-muted, #59636e)",
    "#d1d9e0": "var(--pst-color-border, #d1d9e0)",
}
INK = re.compile("|".join(INKS), re.IGNORECASE)
NAME = re.compile(r"(?:(?<=^#)|(?<=url\(#))[\w.:-]+")  # inside href="#name" and url(#name)
NUMBER = re.compile(r"-?\d+\.\d+")


def themed(svg: str, alt: str, prefix: str, letters: dict[str, str]) -> str:
    """Make a file that matplotlib wrote part of a page.

    Args:
        svg: the text of the file.
        alt: what the picture shows, in words.
        prefix: put before every name inside it, unique on the page.
        letters: the page's, name -> outline; those that this picture needs are added.
    """
    root = ElementTree.fromstring(svg)
    _attributes(root)
    _take_letters(root, letters)
    _prune(root)
    _rename(root, prefix, letters)
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "d":
                element.set(key, shortened(value, decimals=2, tolerance=2))
            elif key in ("x", "y", "width", "height", "transform", "stroke-dasharray"):
                # What scales keeps its digits: 0.015625 is no length.
                kept = re.split(r"(scale\(.*?\)|matrix\(.*?\))", value)
                kept[::2] = [NUMBER.sub(_rounded, part) for part in kept[::2]]
                element.set(key, "".join(kept))
            else:
                element.set(key, INK.sub(lambda ink: INKS[ink[0].lower()], value))
    *_, width, height = map(float, root.get("viewBox", "").split())
    for name, points in ("width", width), ("height", height):
        root.set(name, f"{points * 4 / 3:.0f}")  # CSS pixels
    root.set("role", "img")
    root.set("aria-label", alt)
    return ElementTree.tostring(root, encoding="unicode")


def sheet(letters: dict[str, str]) -> str:
    """Draw the letters that the pictures of a page share, where nobody sees them."""
    drawn = "".join(f'<path id="{name}" {outline}/>' for name, outline in letters.items())
    return f'<svg display="none"><defs>{drawn}</defs></svg>' if letters else ""


def _attributes(root: Element) -> None:
    """Give each element its style as attributes: a strict Content-Security-Policy forbids the rest.

    With `svg.fonttype: path` all that matplotlib writes has an attribute of the same name.
    """
    root.attrib.pop("version", None)
    for parent in list(root.iter()):
        parent.text = parent.tail = None
        for child in list(parent):
            if child.tag == f"{{{SVG}}}style":
                # matplotlib's rule `* {...}` would hold for the whole page: give it to the picture.
                root.set("style", ";".join(re.findall(r"\{(.*?)\}", child.text or "")))
                parent.remove(child)
            elif child.tag == f"{{{SVG}}}metadata":
                parent.remove(child)
    for element in root.iter():
        for rule in filter(str.strip, element.attrib.pop("style", "").split(";")):
            name, _, value = rule.partition(":")
            element.set(name.strip(), value.strip())
        if (link := element.attrib.pop(f"{{{XLINK}}}href", None)) is not None:
            element.set("href", link)


def _take_letters(root: Element, letters: dict[str, str]) -> None:
    """Move the outlines of letters to those of the page: every picture has most of them."""
    for defs in root.iter(f"{{{SVG}}}defs"):
        for child in list(defs):
            scale, name = child.get("transform", ""), child.get("id", "")
            if child.tag == f"{{{SVG}}}path" and scale.startswith("scale("):
                data = shortened(child.get("d", ""), decimals=0, tolerance=0)
                outline = f'transform="{scale}" d="{data}"'
                if letters.setdefault(name, outline) == outline:
                    defs.remove(child)


def _prune(parent: Element) -> None:
    """Remove what is not drawn, and groups that hold nothing together."""
    for child in list(parent):
        _prune(child)
    children: list[Element] = []
    for child in parent:
        kind, inks = child.tag.rpartition("}")[2], (child.get("fill"), child.get("stroke", "none"))
        if kind == "g" and set(child.attrib) <= {"id"}:
            children += child
        elif not (kind == "path" and inks == ("none", "none") and parent.tag != f"{{{SVG}}}defs"):
            children += [child] if len(child) or kind not in ("g", "defs") else []
    parent[:] = children


def _rename(root: Element, prefix: str, letters: dict[str, str]) -> None:
    """Give the picture names of its own, and none that it does not use."""
    linked = [
        (element, key)
        for element in root.iter()
        for key, value in element.attrib.items()
        if key not in ("id", "d") and NAME.search(value)
    ]
    used = {name for element, key in linked for name in NAME.findall(element.get(key, ""))}
    names: dict[str, str] = {}
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used:
            names[name] = f"{prefix}{len(names)}"
            element.set("id", names[name])
    for element, key in linked:
        value = element.get(key, "")
        element.set(key, NAME.sub(lambda match: names.get(match[0], match[0]), value))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")
