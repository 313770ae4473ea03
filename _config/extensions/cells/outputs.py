"""Refuse outputs that no reader should see, naming page, line, cell and cure.

myst-nb 1.4.0 can warn of standard error, but a tag hides it again; a failing cell is reported
without its number; and a picture without a description, or a `<Figure size ...>` in its place, is
published without a word. Here every executed notebook is looked through, hidden outputs included,
whether its cells ran now or long ago.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any

import myst_nb.core.execute
from myst_nb.core.execute.cache import NotebookClientCache
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util import logging

from extensions.cells.kernels import has_begun
from extensions.cells.offline import REFUSED

LOGGER = logging.getLogger(__name__)
REFUSED_HOST = re.compile(rf"^{REFUSED} (\S+)$", re.M)
ANSI = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
# What Python says of an object that has nothing to say, such as a line of a plot.
REPR = re.compile(r"<Figure size [^>]*>|<[^<>]* at 0x[0-9a-fA-F]+>")


def plain(text: str | list[str]) -> str:
    """Join the parts of an output and take away its colours."""
    return ANSI.sub("", text if isinstance(text, str) else "\n".join(text)).strip()


def complaints(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """Say what is wrong with the outputs of a code cell, how to mend it, and what Python said."""
    outputs = cell.get("outputs", [])
    errors = "\n".join(
        plain(output["text"])
        for output in outputs
        if output["output_type"] == "stream" and output["name"] == "stderr"
    )
    if hosts := REFUSED_HOST.findall(errors):
        yield (
            f"opens a network connection to {' and '.join(dict.fromkeys(hosts))}; a page is built "
            "offline: compute what it needs, or keep it in the repository",
            "",
        )
        return  # what else it says is what comes of it
    if errors:
        yield (
            "writes to standard error; mend the cause, or print() what readers should see",
            errors,
        )
    for output in outputs:
        kind = output["output_type"]
        if kind == "error":
            yield (
                "failed; mend it, or catch the exception and print what it teaches",
                plain(output["traceback"]),
            )
        elif kind == "execute_result" and not _is_table(cell, output):
            yield (
                "ends in a bare value, which a copied program does not show; print() it, or end "
                "the line with a semicolon",
                plain(output["data"].get("text/plain", "")),
            )
        else:
            shown = output["text"] if kind == "stream" else output["data"].get("text/plain", "")
            if kind == "stream" or not _is_picture(output):
                yield from _reprs(plain(shown))
    pictures = sum(_is_picture(output) for output in outputs)
    if pictures > 1:
        yield f"draws {pictures} pictures; draw one in a cell, each has its own description", ""
    if pictures and not str(_option(cell, "image", "alt")).strip():
        yield "draws a picture without a description; add `mystnb: {image: {alt: ...}}`", ""


def _is_picture(output: NotebookNode) -> bool:
    return any(mime.startswith("image/") for mime in output.get("data", {}))


def _is_table(cell: NotebookNode, output: NotebookNode) -> bool:
    # Nobody copies a cell that is folded away to make a table out of stored results.
    return "hide-input" in cell["metadata"].get("tags", []) and "text/markdown" in output["data"]


def _reprs(text: str) -> Iterator[tuple[str, str]]:
    if found := REPR.search(text):
        yield f"shows {found[0]}; print what it holds, or leave matplotlib's backend alone", ""


def _option(cell: NotebookNode, *path: str) -> Any:
    value: Any = cell["metadata"].get("mystnb", {})
    for name in path:
        value = (value.get(name) if isinstance(value, dict) else None) or ""
    return value


class Client(NotebookClientCache):
    """Execute a page's cells, or take them from the cache; then look at every output."""

    def start_client(self) -> None:
        """Warn of all that is wrong; a build with -W fails."""
        broke = ""
        try:
            super().start_client()
        except DeadKernelError:
            if not any(map(has_begun, self.notebook.cells)):
                raise  # no cell is to blame
            broke = "ended the kernel; do without what ends or crashes Python"
        if (self.exec_metadata or {}).get("error") == "CellTimeoutError":
            broke = (
                f"took longer than {self.nb_config.execution_timeout} seconds; make it faster, or "
                "raise the limit at the top of the page, `mystnb: {execution_timeout: ...}`"
            )
        page = self.logger.extra["docname"]
        cells = [
            (cell, self.cell_line(index))
            for index, cell in enumerate(self.notebook.cells)
            if cell["cell_type"] == "code"
        ]
        begun = [number for number, (cell, _) in enumerate(cells, 1) if has_begun(cell)]
        for number, (cell, line) in enumerate(cells, 1):
            # What a cell that broke off shows beside is the trace of its interruption.
            stopped = broke and number == begun[-1]
            for fault, said in [(broke, "")] if stopped else complaints(cell):
                source = indent(cell["source"].strip(), "    ")
                message = f"{page}: cell {number} {fault}\n{source}\n{said}".rstrip()
                LOGGER.warning("%s", message, location=(page, line), type="outputs")


def setup(app: Sphinx) -> dict[str, Any]:
    """Put our client in the place where myst-nb looks for its own."""
    myst_nb.core.execute.NotebookClientCache = Client
    return {"parallel_read_safe": True, "parallel_write_safe": True}
