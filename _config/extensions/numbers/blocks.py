"""Read what an author wrote as running text, a block at a time, with a gap for all else.

Left out are outputs, docstrings, and inside a block mathematics, code, references, and what a role
of extensions.numbers.values or extensions.numbers.claims marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes

GAP = "\N{HORIZONTAL ELLIPSIS}"  # where mathematics, code, a value or a reference stands
MARKS = {"given", "reported", "value"}
SKIPPED = (nodes.math, nodes.literal, nodes.raw, nodes.image, addnodes.pending_xref)


def sentences(text: str) -> list[str]:
    """Part a text where a sentence ends."""
    return re.split(r"(?<=[.!?:])\s+(?=[A-Z…])", " ".join(text.split()))


def running(node: nodes.Element) -> str:
    """Read what an author wrote as running text, with a gap for all else."""
    parts = []
    for child in node.children:
        if isinstance(child, nodes.Text):
            parts.append(child.astext())
        elif isinstance(child, SKIPPED) or MARKS & set(child["classes"]):
            parts.append(GAP)
        else:
            parts.append(running(child))
    return "".join(parts)


def ancestors(node: nodes.Element) -> Iterator[nodes.Element]:
    """Walk from a node to the page."""
    while node := node.parent:
        yield node


def section(node: nodes.Element) -> nodes.Element:
    """Return the innermost section in which a node stands, or the page."""
    *_, page = ancestors(node)
    return next((x for x in ancestors(node) if isinstance(x, nodes.section)), page)


def texts(page: nodes.document) -> Iterator[tuple[nodes.Element, str]]:
    """Read the blocks of a page and the descriptions of its pictures."""
    described = set()
    for node in page.findall(nodes.Element):
        around = list(ancestors(node))
        if isinstance(node, nodes.image):
            alt = node.get("alt", "")
            if alt not in described:  # a picture may come in several forms
                yield node, alt
            described.add(alt)
        elif not isinstance(node, nodes.TextElement) or isinstance(
            node, nodes.Inline | nodes.FixedTextElement | nodes.math_block
        ):
            continue
        elif "docstring of" in (node.source or "") or any(
            isinstance(x, addnodes.desc) for x in around
        ):
            continue  # a docstring is judged where it is written
        elif any(x.get("nb_element") == "cell_code_output" for x in around) and not (
            isinstance(node, nodes.caption) and isinstance(node.parent, nodes.figure)
        ):
            continue  # an output is measured
        elif isinstance(node.parent, nodes.admonition) and node.astext().startswith("Time."):
            continue  # how long a chapter takes is an estimate
        else:
            yield node, running(node)
