"""Print variables of a page's cells in its prose: {value}`error:.1e`.

Inside stands what an f-string holds between braces; it is evaluated after the cells above it. For
this a notebook is executed with further cells, one behind each piece of prose that shows a value.
They are part of what the cache is keyed by, so that another expression executes the page again,
and they are taken out before anybody else looks: cells keep their numbers. What the prose shows,
an assertion of the page must hold from both sides; extensions.numbers.assertions decides.
"""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from docutils import nodes
from myst_nb.core.execute.cache import NotebookClientCache
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from extensions.numbers.assertions import expression, held

LOGGER = logging.getLogger(__name__)
# What myst-nb starts a client with, before this extension had its say.
start_client = NotebookClientCache.start_client

ROLE = re.compile(r"\{value\}(`+)(.+?)\1(?!`)", re.DOTALL)
# IPython evaluates each by itself: one that fails neither stops the others nor leaves a name. The
# count goes back, since a traceback names its cell by it.
CELL = """\
print(__import__('json').dumps(get_ipython().user_expressions({})))
get_ipython().execution_count -= 1"""
SCIENTIFIC = re.compile(r"([-+]?[\d.,]+)e([-+]?\d+)", re.IGNORECASE)
NEGATIVE = re.compile(r"(?<![\w.])-(?=[\d.])")
CURES = {
    "NameError": "write the name of a variable of the cells above",
    "TypeError": "give a number, as by `.item()`, or another format",
    "ValueError": "give a number, as by `.item()`, or another format",
}


def wanted(cell: NotebookNode) -> list[str]:
    """List what roles may want in the prose of a cell, which for code is its caption."""
    prose = cell["source"]
    if cell["cell_type"] == "code":
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        prose = str(figure.get("caption", ""))
    return list(dict.fromkeys(" ".join(text.split()) for _, text in ROLE.findall(prose)))


def valued(start: Callable[[NotebookClientCache], None]) -> Callable[[NotebookClientCache], None]:
    """Start a client on a notebook with further cells, and keep aside what they evaluate."""

    def started(client: Any) -> None:
        page, cells, places = client._notebook, [], {}
        for index, cell in enumerate(page.cells):
            cells.append(cell)
            if texts := wanted(cell):
                places[len(cells)] = index
                strings = {text: f"f'''{{{text}}}'''" for text in texts}
                cells.append(new_code_cell(CELL.format(strings)))
        # Another notebook of the same cells and metadata, as execution writes into both.
        client._notebook = NotebookNode({**page, "cells": cells})
        try:
            start(client)
        finally:
            cells = client._notebook["cells"]
            client.values = {place: answers(cells[at]) for at, place in places.items()}
            client._notebook["cells"] = [cell for at, cell in enumerate(cells) if at not in places]

    return started


def answers(cell: NotebookNode) -> dict[str, Any]:
    """Read what an executed cell evaluated; nothing, if another cell failed before."""
    printed = "".join(x["text"] for x in cell["outputs"] if x.get("name") == "stdout")
    return dict(json.loads(printed)) if printed else {}


def typeset(number: str) -> Iterator[nodes.Node]:
    """Write a number as a book does: powers of ten as mathematics, a minus as long as a plus."""
    if (found := SCIENTIFIC.fullmatch(number)) and int(found[2]):
        factor = "" if found[1] == "1" else rf"{found[1]} \times "
        tex = rf"{factor}10^{{{int(found[2])}}}"
        yield nodes.math(tex, tex)
    else:
        yield nodes.Text(NEGATIVE.sub("\N{MINUS SIGN}", SCIENTIFIC.sub(r"\1", number, count=1)))


class Value(SphinxRole):
    """Show the value that an expression has at this place of the page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number, or where cells were not executed, its name."""
        self.text = " ".join(self.text.split())
        shown = nodes.inline(self.text, classes=["value"])
        renderer = self.inliner.document.get("nb_renderer")
        if renderer is None:
            self.complain("there are no cells; show it on a page that has some")
        elif not (shows := expression(self.text)):
            self.complain("SyntaxError: write what an f-string holds between braces")
        else:
            client = renderer.renderer.nb_client
            place = bisect_right(client._source_map, self.lineno) - 1
            cells = client.notebook["cells"]
            above = sum(cell["cell_type"] == "code" for cell in cells[: place + 1])
            sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
            if not held(shows, sources, above):
                self.complain("no assertion holds it from both sides; add one to a cell above")
            if (number := self.number(client, place)) is None:
                shown["classes"].append("unknown")
                shown += nodes.Text(shows)
            else:
                shown.extend(typeset(number))
        return [shown], []

    def number(self, client: Any, place: int) -> str | None:
        """Return the formatted value, or nothing if no cell below this place was executed."""
        answer = getattr(client, "values", {}).get(place, {}).get(self.text)
        if answer is None:
            # Whoever reads of a failed cell needs not read that nothing was evaluated after it.
            if (client.exec_metadata or {}).get("succeeded"):
                self.complain("was not evaluated; write it in the page itself, in prose or caption")
            return None
        if answer["status"] == "error":
            cure = CURES.get(answer["ename"], "mend the expression")
            self.complain(f"{answer['ename']}: {answer['evalue']}; {cure}")
            return None
        return str(ast.literal_eval(answer["data"]["text/plain"]))

    def complain(self, fault: str) -> None:
        """Warn of the expression, which a build with -W does not pass."""
        message = f"{self.env.docname}: value `{self.text}`: {fault}"
        LOGGER.warning("%s", message, location=self.get_location(), type="numbers")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role, and start every client of myst-nb on the longer notebook."""
    app.add_role("value", Value())
    NotebookClientCache.start_client = valued(start_client)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
