"""Draw the pictures that cells made into the page itself, in inks that follow its theme.

An <img> cannot know whether the page around it is light or dark; the theme therefore puts a light
box behind it. An SVG inside the page inherits colours: text, axes and grid take those of the page,
the lines keep their own, which the library chose to be readable on both.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)

# The inks of _config/matplotlibrc and gdla.plots.
INKS = {
    "#1f2328": "var(--pst-color-text-base, #1f2328)",
    "#59636e": "var(--pst-color-text-muted, #59636e)",
    "#d1d9e0": "var(--pst-color-border, #d1d9e0)",
}
INK = re.compile("|".join(INKS), re.IGNORECASE)
NAME = re.compile(r"(?<=#)[\w.:-]+")  # inside url(#name) and href="#name"


def themed(svg: str, alt: str, prefix: str) -> str:
    """Make a file that matplotlib wrote part of a page.

    Args:
        svg: the text of the file.
        alt: what the picture shows, in words.
        prefix: put before every id, unique on the page.
    """
    root = ElementTree.fromstring(svg)
    names = {element.get("id") for element in root.iter()} - {None}
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{SVG}}}metadata":
                parent.remove(child)
            elif child.tag == f"{{{SVG}}}style":
                # matplotlib's rule `* {...}` would hold for the whole page: give it to the picture.
                root.set("style", "".join(re.findall(r"\{(.*?)\}", child.text or "")))
                parent.remove(child)
        for key, value in parent.attrib.items():
            if key == "id":
                parent.set(key, prefix + value)
            elif key == f"{{{XLINK}}}href" and value.startswith("#"):
                parent.set(key, "#" + prefix + value[1:])
            elif "url(#" in value:
                value = NAME.sub(lambda m: prefix + m[0] if m[0] in names else m[0], value)
                parent.set(key, INK.sub(_ink, value))
            else:
                parent.set(key, INK.sub(_ink, value))
    *_, width, height = map(float, root.get("viewBox", "").split())
    for name, points in ("width", width), ("height", height):
        root.set(name, f"{points * 4 / 3:.0f}")  # CSS pixels
    root.set("role", "img")
    root.set("aria-label", alt)
    return ElementTree.tostring(root, encoding="unicode")


def _ink(match: re.Match[str]) -> str:
    return INKS[match[0].lower()]


class FollowTheme(SphinxPostTransform):
    """Replace every picture that a cell made; leave those that lie in the book alone."""

    default_priority = 10  # after myst-nb chose among the forms of an output, at 4
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Look through the page."""
        made = Path(self.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
        for number, image in enumerate(list(self.document.findall(nodes.image)), start=1):
            file = Path(self.env.srcdir, image["uri"]).resolve()
            if file.suffix == ".svg" and file.is_relative_to(made):
                alt = " ".join(image.get("alt", "").split())  # required by extensions.cells.outputs
                text = themed(file.read_text(encoding="utf-8"), alt, f"picture-{number}-")
                image.replace_self(nodes.raw("", text, format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(FollowTheme)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
