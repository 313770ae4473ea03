"""Keep of a stylesheet what a set of pages can show, and write its dark side three ways.

A rule stays if each of its classes, ids and elements stands in some page, or is a word in some
script, which might make it. What a selector says beyond that (states, `:not`) is not judged: when
in doubt, a rule stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import tinycss2

GROUPS = {"media", "supports", "container", "layer"}
ANY = {"is", "where", "has", "-webkit-any", "-moz-any"}
THEME = re.compile(r"\[data-theme=[\"']?(light|dark)[\"']?\]")
WITHOUT = re.compile(r":not\(\[data-theme\]\)")


@dataclass
class Names:
    """What stands in pages and scripts."""

    tags: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)

    def page(self, html: str) -> None:
        """Learn the names of a page."""
        self.tags.update(re.findall(r"<([a-zA-Z][\w-]*)", html))
        self.ids.update(re.findall(r'\sid="([^"]+)"', html))
        self.words.update(re.findall(r"\s(data-[\w-]+)", html))
        self.words.update(re.findall(r"--[\w-]+", html))
        for classes in set(re.findall(r'\sclass="([^"]+)"', html)):
            self.classes.update(classes.split())

    def script(self, text: str) -> None:
        """Learn every word of a script; what ends in a hyphen begins names it makes."""
        self.words.update(re.findall(r"[\w-]+", text))
        # dataset.theme is data-theme.
        self.words.update(f"data-{name}" for name in re.findall(r"(?:data|dataset)\.(\w+)", text))

    def has(self, name: str, kind: set[str]) -> bool:
        """Whether a page has a name, or a script may make it."""
        return (
            name in kind
            or name in self.words
            or any(name[:end] in self.words for end in range(4, len(name)) if name[end - 1] == "-")
        )


def split(tokens: Iterable[Any]) -> Iterator[list[Any]]:
    """Split a list of selectors at its commas."""
    part: list[Any] = []
    for token in tokens:
        if token == ",":
            yield part
            part = []
        else:
            part.append(token)
    yield part


def possible(selector: Sequence[Any], names: Names) -> bool:
    """Whether a selector may match something."""
    before = None
    for token in selector:
        if token.type == "ident":
            if before == "." and not names.has(token.value, names.classes):
                return False
            if before not in (".", ":") and not names.has(token.lower_value, names.tags):
                return False
        elif token.type == "hash" and not names.has(token.value, names.ids):
            return False
        elif token.type == "[] block":
            attribute = next((part.value for part in token.content if part.type == "ident"), "")
            if attribute.startswith("data-") and attribute not in names.words:
                return False
        elif token.type == "function" and token.lower_name in ANY:
            parts = [possible(part, names) for part in split(token.arguments)]
            if not any(parts):
                return False
        before = token.value if token.type == "literal" else None
    return True


@dataclass
class Sheet:
    """Rules that stay: for all, and for the dark where no script chooses it."""

    all: list[str] = field(default_factory=list)
    paper: list[str] = field(default_factory=list)
    unchosen: list[str] = field(default_factory=list)

    def add(self, selectors: Sequence[str], body: str) -> None:
        """Take a rule in, its dark selectors apart from the others.

        A page without scripts stays at data-theme="auto": what is not dark is light. Paper is
        light, too, so that the dark is for screens only.
        """
        dark = [text for text in selectors if THEME.findall(text) == ["dark"]]
        plain = [text for text in selectors if text not in dark]
        light = [text for text in plain if THEME.search(text)]
        if plain:
            named = ",".join(THEME.sub(":not([data-theme=dark])", text) for text in plain)
            self.all.append(f"{named}{{{body}}}")
        if light:
            named = ",".join(THEME.sub("[data-theme=dark]", text) for text in light)
            self.paper.append(f"{named}{{{body}}}")
        if dark:
            self.all.append(f"@media screen{{{','.join(dark)}{{{body}}}}}")
            named = ",".join(THEME.sub("[data-theme=auto]", text) for text in dark)
            self.unchosen.append(f"{named}{{{body}}}")

    def take(self, rules: Iterable[Any], names: Names) -> None:
        """Take in the rules that may match."""
        for rule in rules:
            if rule.type == "qualified-rule":
                texts = [
                    tinycss2.serialize(part).strip()
                    for part in split(rule.prelude)
                    if possible(part, names)
                ]
                body = " ".join(tinycss2.serialize(rule.content).split())
                if texts := [text for text in texts if not WITHOUT.search(text)]:
                    self.add(texts, body)
            elif rule.type == "at-rule" and rule.content is not None:
                word, prelude = rule.at_keyword, tinycss2.serialize(rule.prelude).strip()
                if word in GROUPS:
                    inner = Sheet()
                    inner.take(tinycss2.parse_rule_list(rule.content, True, True), names)
                    for mine, its in zip(vars(self).values(), vars(inner).values(), strict=True):
                        if its:
                            mine.append(f"@{word} {prelude}{{{''.join(its)}}}")
                elif word != "font-face":  # there are none but those of icons that we do not have
                    body = " ".join(tinycss2.serialize(rule.content).split())
                    self.all.append(f"@{word} {prelude}{{{body}}}")


def pruned(css: Iterable[str], names: Names, others: str = "") -> tuple[str, str]:
    """Return the stylesheet for all pages, and the one for pages without scripts.

    Args:
        css: stylesheets, in their order.
        names: what pages and scripts have.
        others: stylesheets that follow, and may read variables of these.
    """
    sheet = Sheet()
    for text in css:
        sheet.take(tinycss2.parse_stylesheet(text, True, True), names)
    whole = "\n".join(sheet.all)
    if sheet.paper:
        whole += "\n@media print{" + "\n".join(sheet.paper) + "}"
    dark = "@media screen and (prefers-color-scheme:dark){" + "\n".join(sheet.unchosen) + "}"
    return without_unused(whole, names, others), without_unused(dark, names, others + whole)


VARIABLE = re.compile(r"(?<=[{;])\s*(--[\w-]+)\s*:[^;{}]*(?:;|(?=}))")
EMPTY = re.compile(r"(?<=[}\n{])[^{}@\n]*\{\s*\}")
FRAMES = re.compile(r"@keyframes ([\w-]+)\{(?:[^{}]*\{[^{}]*\})*\s*\}")


def without_unused(css: str, names: Names, others: str) -> str:
    """Drop variables that nothing reads, until none is left, and animations that nothing runs."""
    before = ""
    while before != css:
        before, read = css, set(re.findall(r"var\(\s*(--[\w-]+)", css + others)) | names.words

        def kept(found: re.Match[str], read: set[str] = read) -> str:
            return found[0] if found[1] in read else ""

        css = EMPTY.sub("", VARIABLE.sub(kept, css))
    still = FRAMES.sub("", css) + others
    css = FRAMES.sub(lambda frames: frames[0] if frames[1] in still else "", css)
    return re.sub(r"\n+", "\n", css).strip() + "\n"
