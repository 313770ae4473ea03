"""Refuse outputs that no reader should see, naming page, line and cell.

myst-nb 1.4.0 can warn of standard error, but a tag hides it again; a failing cell is reported
without its number; and a picture without a description, or a `<Figure size ...>` in its place, is
published without a word. Here every executed notebook is looked through, hidden outputs included,
whether its cells ran now or long ago.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import myst_nb.core.execute
from myst_nb.core.execute.cache import NotebookClientCache
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
ANSI = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
# What Python says of an object that has nothing to say, such as a line of a plot.
REPR = re.compile(r"<Figure size [^>]*>|<[^<>]* at 0x[0-9a-fA-F]+>")


def plain(text: str | list[str]) -> str:
    """Join the parts of an output and take away its colours."""
    return ANSI.sub("", text if isinstance(text, str) else "\n".join(text)).strip()


def complaints(cell: NotebookNode) -> Iterator[str]:
    """Say what is wrong with the outputs of a code cell, each fault with its cure."""
    pictures = 0
    for output in cell.get("outputs", []):
        kind = output["output_type"]
        if kind == "error":
            yield f"failed\n{cell['source'].strip()}\n{plain(output['traceback'])}"
        elif kind == "stream" and output["name"] == "stderr":
            yield (
                "writes to standard error; mend the cause, or print what readers should see\n"
                + plain(output["text"])
            )
        elif kind == "stream":
            yield from _reprs(output["text"])
        elif any(mime.startswith("image/") for mime in output["data"]):
            pictures += 1
        else:
            yield from _reprs(output["data"].get("text/plain", ""))
    if pictures > 1:
        yield f"draws {pictures} pictures; draw one in a cell, each has its own description"
    if pictures and not str(_option(cell, "image", "alt")).strip():
        yield "draws a picture without a description; add `mystnb: {image: {alt: ...}}`"


def _reprs(text: str | list[str]) -> Iterator[str]:
    if found := REPR.search(plain(text)):
        yield f"shows {found[0]}; end its last line with a semicolon, or print a value"


def _option(cell: NotebookNode, *path: str) -> Any:
    value: Any = cell["metadata"].get("mystnb", {})
    for name in path:
        value = (value.get(name) if isinstance(value, dict) else None) or ""
    return value


class Client(NotebookClientCache):
    """Execute a page's cells, or take them from the cache; then look at every output."""

    def start_client(self) -> None:
        """Warn of all that is wrong; a build with -W fails."""
        super().start_client()
        page = self.logger.extra["docname"]
        cells = [
            (cell, self.cell_line(index))
            for index, cell in enumerate(self.notebook.cells)
            if cell["cell_type"] == "code"
        ]
        late = (self.exec_metadata or {}).get("error") == "CellTimeoutError"
        last = sum(cell["execution_count"] is not None for cell, _ in cells)
        for number, (cell, line) in enumerate(cells, start=1):
            if late and number == last:
                # What else it shows is the trace of the interruption.
                limit = self.nb_config.execution_timeout
                found = [f"took longer than {limit} seconds\n{cell['source'].strip()}"]
            else:
                found = list(complaints(cell))
            for complaint in found:
                message = f"{page}: cell {number} {complaint}"
                LOGGER.warning("%s", message, location=(page, line), type="outputs")


def setup(app: Sphinx) -> dict[str, Any]:
    """Put our client in the place where myst-nb looks for its own."""
    myst_nb.core.execute.NotebookClientCache = Client
    return {"parallel_read_safe": True, "parallel_write_safe": True}
