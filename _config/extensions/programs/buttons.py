"""Give every cell a button that copies a program: the cell, after the earlier lines it needs.

A reader who copies a cell out of the middle of a page gets a NameError. Here the button copies what
runs alone in a fresh interpreter, and says how long that is; `nox -s snippets` takes the programs
out of the finished pages, runs each, and compares what it prints with the page. A page that reads
files of this repository says `programs: no` at its top; its cells can be copied one by one only.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from extensions.programs.slicing import Statement, needed

LOGGER = logging.getLogger(__name__)


def programs(cells: Sequence[str]) -> list[tuple[str, int]]:
    """Return, for each cell, the program, and how many of its lines come from earlier cells."""
    found = []
    for cell, before in zip(cells, needed(cells), strict=True):
        lead = joined(before)
        text = f"{lead}\n\n{cell.strip()}\n" if lead else f"{cell.strip()}\n"
        found.append((text, sum(bool(line.strip()) for line in lead.splitlines())))
    return found


def joined(statements: Sequence[Statement]) -> str:
    """Write statements below each other, an empty line between those of two cells."""
    text = "".join(statement.text for statement in statements[:1])
    for last, this in pairwise(statements):
        together = this.cell == last.cell and not this.spaced
        text += ("\n" if together else "\n\n") + this.text
    return text


def bar(program: str, before: int) -> str:
    """Write the button of a program and what a reader wants to know of it first."""
    lines = sum(bool(line.strip()) for line in program.splitlines())
    whole = f"{lines} line{'s' * (lines != 1)}"
    size = f"{whole}, {before} of them from above" if before else f"{whole}, complete as they stand"
    return (
        '<div class="program"><button type="button" hidden '
        f'data-clipboard-text="{escape(program)}">Copy program</button>'
        f'<span aria-live="polite">{size}</span></div>'
    )


def attach(app: Sphinx, document: nodes.document) -> None:
    """Add its bar to every cell of a page."""
    docname = app.env.docname
    if app.env.metadata[docname].get("programs") == "False":  # YAML's `no`
        return
    inputs = [
        part
        for part in document.findall(nodes.container)
        if part.get("nb_element") == "cell_code_source"
    ]
    cells = [next(part.findall(nodes.literal_block)).astext() for part in inputs]
    try:
        found = programs(cells)
    except SyntaxError as error:
        LOGGER.warning(
            "%s: a cell is no Python, so no program can be made of it: %s\n%s\n"
            "Write plain Python, or `programs: no` at the top of the page.",
            *(docname, error, (error.text or "").rstrip()),
            location=docname,
            type="programs",
        )
        return
    for part, (text, before) in zip(inputs, found, strict=True):
        part += nodes.raw("", bar(text, before), format="html")


def setup(app: Sphinx) -> dict[str, Any]:
    """Attach when a page was read, and bring the script that makes the buttons work."""
    app.connect("doctree-read", attach)
    app.add_js_file("programs.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
