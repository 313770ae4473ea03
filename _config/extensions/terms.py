"""Link each term of the glossary where a page first uses it, and nowhere else.

Writers need not think of it: wherever a word of the glossary stands in the running text for the
first time, it becomes a link. One that was written by hand, {term}`curvatures <curvature>`, is a
first use as well; later ones become plain text.
"""

from __future__ import annotations

import re
from functools import cache

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

# A heading has a link of its own, a caption and a formula are read by themselves.
APART: tuple[type[nodes.Node], ...] = (
    *(nodes.title, nodes.caption, nodes.rubric, nodes.term),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw),
    *(nodes.reference, addnodes.pending_xref),
)
PAGES_WITHOUT = {"glossary", "api"}  # the one explains the terms, the other is a reference


class FirstUses(SphinxPostTransform):
    """Walk through a page in reading order."""

    default_priority = 5  # before references are resolved, at 10

    def run(self, **kwargs: object) -> None:
        """Link first uses, unlink later ones."""
        objects = self.env.domains.standard_domain.get_objects()
        names = {name.lower() for name, _, kind, *_ in objects if kind == "term"}
        if not names or self.env.docname in PAGES_WITHOUT:
            return
        seen: set[str] = set()
        for node in list(self.document.findall()):
            if isinstance(node, addnodes.pending_xref) and node.get("reftype") == "term":
                name = node["reftarget"].lower()
                if name in seen:
                    node.replace_self(nodes.inline("", node.astext()))
                seen.add(name)
            elif isinstance(node, nodes.Text) and not _apart(node):
                _link(node, pattern(tuple(sorted(names))), seen, self.env.docname)


@cache
def pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """Match any of the names, longer ones first, in the singular or the plural."""
    longest = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest))})(e?s)?(?![\w-])", re.I)


def _link(text: nodes.Text, words: re.Pattern[str], seen: set[str], page: str) -> None:
    """Put links into a piece of text."""
    whole, parts, done = text.astext(), [], 0
    for match in words.finditer(whole):
        name = match[1].lower()
        if name in seen:
            continue
        seen.add(name)
        link = addnodes.pending_xref(
            "",
            nodes.inline("", match[0], classes=["xref", "std", "std-term"]),
            refdoc=page,
            refdomain="std",
            reftype="term",
            reftarget=match[1],
            refexplicit=True,
            refwarn=True,
        )
        parts += [nodes.Text(whole[done : match.start()]), link]
        done = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(whole[done:])])


def _apart(node: nodes.Node) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, APART):
            return True
    return False


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(FirstUses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
