"""Spell a page as a notebook and as a script, from the cells of which it consists.

Neither has outputs or dates: the same page makes the same files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import nbformat
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from extensions.notebooks.prose import Writer

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
SKLEARN = re.compile(r"^\s*(?:from|import) sklearn\b", re.MULTILINE)
# It asks for versions and imports nothing: an older gdla would stay in memory after the new one
# was installed.
INSTALL = """\
{origin}
# What it needs is installed here, unless it is there already.
from importlib.metadata import version

try:
    {packages}
    assert version("gdla") == "{release}"
except (AssertionError, ImportError):
    %{command}"""


class Cell(NamedTuple):
    """A cell; `hidden` if its page hides it until somebody asks."""

    kind: str
    source: str
    hidden: bool = False


def cells(doctree: nodes.document, writer: Writer) -> list[Cell]:
    """Part a page into cells. A heading begins a new one."""
    found: list[Cell] = []
    prose: list[str] = []

    def close() -> None:
        if prose:
            found.append(Cell("markdown", "\n\n".join(prose)))
        prose.clear()

    for depth, node in _outline(doctree):
        if isinstance(node, nodes.title):
            close()
            prose.append(f"{'#' * depth} {writer.line(node)}")
        elif isinstance(node, nodes.container) and node.get("nb_element") == "cell_code":
            hidden = node.get("hide_mode") == "all"
            if hidden:
                prompt = node["prompt_show"].removeprefix("Show ")
                prose.append(f"*{prompt[:1].upper()}{prompt[1:]}:*")
            close()
            found += [Cell("code", source, hidden) for source in _typed(node)]
            for figure in node.findall(nodes.figure):
                prose += writer.caption(figure, "figure")
        else:
            prose += writer.block(node)
    close()
    return found


def _outline(node: nodes.Element, depth: int = 0) -> Iterator[tuple[int, nodes.Node]]:
    """Yield what sections contain, each with the depth of its section."""
    for child in node.children:
        if isinstance(child, nodes.section):
            yield from _outline(child, depth + 1)
        else:
            yield depth, child


def _typed(cell: nodes.container) -> Iterator[str]:
    # Not among its children: around those of a hidden cell lies what hides them.
    for part in cell.findall(nodes.container):
        if part.get("nb_element") == "cell_code_source":
            yield next(iter(part.findall(nodes.literal_block))).astext().strip("\n")


def needs(cells: list[Cell]) -> dict[str, str]:
    """Return the extras of gdla that the code of a page needs, and what each brings."""
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    data = {"data": "scikit-learn"} if SKLEARN.search(code) else {}
    return {"plots": "matplotlib", **data}


def command(cells: list[Cell], place: str) -> str:
    """Return the command that installs what a page needs, gdla from a given place."""
    return f'pip install --quiet "gdla[{",".join(needs(cells))}]{place}"'


def notebook(cells: list[Cell], origin: str, release: str, place: str) -> str:
    """Spell a notebook. Its first cell installs; what the page hides is folded."""
    install = INSTALL.format(
        origin=origin,
        packages="; ".join(f'version("{package}")' for package in needs(cells).values()),
        release=release,
        command=command(cells, place),
    )
    made = []
    for number, cell in enumerate([Cell("code", install), *cells]):
        new = new_code_cell if cell.kind == "code" else new_markdown_cell
        folded = {"jupyter": {"source_hidden": True}} if cell.hidden else {}
        made.append(new(cell.source, id=f"cell-{number}", metadata=folded))
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return nbformat.writes(new_notebook(cells=made, metadata=metadata)) + "\n"


def script(cells: list[Cell], origin: str, place: str) -> str:
    """Spell a script: its prose are comments, and editors can run it cell by cell."""
    parts = [f"{origin}\n# What it needs:\n#     {command(cells, place)}"]
    for cell in cells:
        if cell.kind == "code":
            parts.append(f"# %%\n{cell.source}")
        else:
            lines = [f"# {line}".rstrip() for line in cell.source.splitlines()]
            parts.append("\n".join(["# %% [markdown]", *lines]))
    return "\n\n".join(parts) + "\n"
