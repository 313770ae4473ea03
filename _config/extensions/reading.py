"""Say how long a page takes to read: {minutes}`to read` becomes "17 minutes to read".

Counted are the words of the prose and the lines of the code that a reader sees; what is folded is
read by those who want to. Two hundred words a minute are what adults read of such prose, and a line
of code takes as long as ten words.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxRole

WORDS_A_MINUTE, WORDS_A_LINE = 200, 10
UNREAD = (nodes.literal_block, nodes.math_block, nodes.comment, nodes.raw, addnodes.toctree)


class Place(nodes.Inline, nodes.TextElement):
    """Where the number of minutes will stand."""


class Minutes(SphinxRole):
    """The role itself."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a place, since the page is not read yet."""
        return [Place(self.rawtext, self.text)], []


def counted(document: nodes.document) -> tuple[int, int]:
    """Return how many words and how many lines of code a page shows."""
    words = lines = 0
    for node in document.findall(nodes.Text):
        if not _within(node, UNREAD) and not _folded(node):
            words += len(node.astext().split())
    for block in document.findall(nodes.literal_block):
        if not _folded(block):
            lines += sum(bool(line.strip()) for line in block.astext().splitlines())
    return words, lines


class Count(SphinxTransform):
    """Count, and fill in the places."""

    default_priority = 980  # when the page is all there

    def apply(self, **kwargs: Any) -> None:
        """Look through the page."""
        words, lines = counted(self.document)
        self.env.metadata[self.env.docname]["words"] = words
        needed = max(1, round((words + WORDS_A_LINE * lines) / WORDS_A_MINUTE))
        self.env.metadata[self.env.docname]["minutes"] = needed
        for place in list(self.document.findall(Place)):
            unit = "minute" if needed == 1 else "minutes"
            place.replace_self(nodes.Text(f"{needed} {unit} {place.astext()}"))


def _within(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def _folded(node: nodes.Node) -> bool:
    """Whether a node lies in a cell whose code is hidden, or in its outputs."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.container) and node.get("hide_mode"):
            return True
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role, and the count."""
    app.add_node(Place)
    app.add_role("minutes", Minutes())
    app.add_transform(Count)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
