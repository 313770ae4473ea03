"""What a reader takes along runs whole, from the first cell to the last, in an empty folder."""

import subprocess

import nbformat
import pytest
from nbclient import NotebookClient

from tests.programs.alone import ANOTHER_PROCESSOR, surroundings
from tests.programs.conftest import python
from tests.programs.taken import HTML, chosen

FOLDER = HTML / "notebooks"
# An agg has no window to show. Everything else that Python warns of is a fault.
STRICT = ["-W", "error", "-W", "ignore:FigureCanvasAgg is non-interactive"]


def taken(ending):
    """Each file that pages hand out; a single None if there is none."""
    return each(sorted(FOLDER.rglob(f"*.{ending}")))


def each(files):
    names = [file.relative_to(FOLDER).as_posix() for file in files]
    return pytest.mark.parametrize("file", files or [None], ids=names or ["none"])


@taken("py")
def test_a_script_runs_in_a_fresh_interpreter_and_holds_on_another_processor(file, tmp_path):
    assert file, f"{FOLDER} holds no script; run nox -s docs first"
    extra = "data" if "sklearn" in file.read_text(encoding="utf-8") else "plots"
    done = subprocess.run(
        [python(extra), *STRICT, file],
        cwd=tmp_path,
        env=surroundings(MPLBACKEND="agg", **ANOTHER_PROCESSOR),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout
    assert not list(tmp_path.iterdir()), "it left something in the folder"


@taken("ipynb")
def test_a_notebook_has_the_cells_of_its_script(file):
    assert file, f"{FOLDER} holds no notebook; run nox -s docs first"
    cells = nbformat.read(file, as_version=4).cells
    install, *code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert "%pip install" in install
    assert code
    rest = file.with_suffix(".py").read_text(encoding="utf-8")
    between = []
    for source in code:
        before, found, rest = rest.partition(source)
        assert found, f"in this order, the script has not\n{source}"
        between += before.splitlines()
    alone = [line for line in [*between, *rest.splitlines()] if line and not line.startswith("#")]
    assert alone == [], "the script runs what the notebook does not"


@each([FOLDER / f"{name}.ipynb" for name in chosen(file.stem for file in FOLDER.rglob("*.ipynb"))])
def test_a_notebook_runs_from_top_to_bottom(file, tmp_path, monkeypatch):
    assert file, f"{FOLDER} holds no notebook; run nox -s docs first"
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, value in surroundings(IPYTHONDIR=str(tmp_path / "ipython")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel would not catch what C code writes
    notebook = nbformat.read(file, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(empty)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs), "no picture was drawn"
    assert not list(empty.iterdir()), "it left something in the folder"
