"""The arrow runs one way: in gdla from checks to plots, and from the book to gdla."""

import ast
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
GDLA = HOUSE / "gdla"

# Each imports only from those before it.
ORDER = (
    "checks",
    "solution",
    "gallery",
    "losses",
    "rates",
    "optim",
    "metrics",
    "points",
    "descent",
    "walk",
    "curvature",
    "implicit",
    "solvers",
    "equations",
    "spectra",
    "lowrank",
    "diagnostics",
    "plots",
)
FILES = sorted(GDLA.rglob("*.py"))


def room(file: Path) -> str:
    """Return the module that a file is or, where a module has become a folder, belongs to."""
    return file.relative_to(GDLA).with_suffix("").parts[0]


def imported(file: Path) -> set[str]:
    """Return the full names that a file imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively; write the full name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_used(file: Path) -> set[str]:
    """Return the modules of gdla that a file imports from, its own left out."""
    parts = [name.split(".") for name in imported(file)]
    return {part[1] for part in parts if part[0] == "gdla" and len(part) > 1} - {room(file)}


def test_every_module_has_its_place_in_the_order():
    assert {room(file) for file in FILES} - {"__init__"} <= set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(GDLA).as_posix())
def test_a_module_imports_only_from_those_above_it(file):
    # __init__ stands below all but plots, so that `import gdla` needs no matplotlib.
    above = ORDER[:-1] if room(file) == "__init__" else ORDER[: ORDER.index(room(file))]
    assert rooms_used(file) <= set(above)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(GDLA).as_posix())
def test_the_library_knows_nothing_of_the_book(file):
    outside = {name.split(".")[0] for name in imported(file)}
    assert not outside & {"_config", "book", "extensions", "noxfile", "sphinx", "tests"}
