"""Put something to play with into a figure: `explorable: ball` among the metadata of its cell.

The cell draws the still picture: what is printed, and what is seen where no script runs. Above it
goes the HTML of the explorable, complete with its sliders, so that nothing moves when the script
_static/explorables/<name>.js takes over. Both share the figure's number and caption. Arithmetic is
in arithmetic.js alone, and tested against `gdla`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
FOLDER = Path(__file__).parent
NAMES = sorted(file.stem for file in FOLDER.glob("*.html"))
SCRIPTS = ("arithmetic", "kit")  # before the explorable's own


def figures(document: nodes.document) -> Iterator[tuple[str, nodes.figure | None]]:
    """Find the cells that ask for an explorable; return its name and the figure of the cell."""
    for cell in document.findall(nodes.container):
        if name := cell.get("cell_metadata", {}).get("explorable"):
            yield name, next(cell.findall(nodes.figure), None)


def place(app: Sphinx, document: nodes.document) -> None:
    """Put the HTML of each explorable before its still picture, once a page was read."""
    page, placed = app.env.docname, []
    for name, figure in figures(document):
        if name not in NAMES:
            fault = f"there is no explorable {name!r}; there are {', '.join(NAMES)}"
        elif name in placed:
            fault = f"the explorable {name!r} stands here twice; one of each can be on a page"
        elif figure is None:
            # Without outputs, as where only other pages are executed, there is nothing to hold it.
            if not app.config.cells_pages:
                LOGGER.warning(
                    "%s: the cell of the explorable %r draws no figure; give it a still picture "
                    "and `mystnb: {figure: {name: ..., caption: ...}}`",
                    *(page, name),
                    location=document,
                    type="explorables",
                )
            continue
        else:
            html = (FOLDER / f"{name}.html").read_text(encoding="utf-8")
            text = f'<div class="explorable" data-explorable="{name}">\n{html}{TOLD}</div>\n'
            figure.insert(0, nodes.raw("", text, format="html"))
            figure["classes"].append("explored")
            placed.append(name)
            continue
        LOGGER.warning("%s: %s", page, fault, location=document, type="explorables")
    app.env.metadata[page]["explorables"] = placed


# What is seen, and what is spoken once it rests.
TOLD = (
    '<p class="summary" aria-hidden="true"></p>\n'
    '<p class="spoken visually-hidden" aria-live="polite"></p>\n'
)


def load(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the scripts on the pages that need them."""
    if names := app.env.metadata.get(page, {}).get("explorables"):
        app.add_css_file("explorables/explorables.css")
        for script in (*SCRIPTS, *names):
            app.add_js_file(f"explorables/{script}.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Place when a page was read, load when it is written."""
    app.connect("doctree-read", place)
    app.connect("html-page-context", load)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
