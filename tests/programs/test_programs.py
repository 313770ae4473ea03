"""What the copy button gives runs alone, and prints and draws what its page shows."""

import subprocess

import pytest
from bs4 import BeautifulSoup
from extensions.figures import themed

from tests.programs.alone import HOUSE, surroundings
from tests.programs.conftest import FOLDER, PROGRAMS, python
from tests.programs.taken import difference

MATPLOTLIBRC = HOUSE / "_config" / "matplotlibrc"
WITH_DATA = [program for program in PROGRAMS if "sklearn" in program.text]


def run(program, extra, folder):
    pictures = folder / "pictures"
    pictures.mkdir()
    return subprocess.run(
        [python(extra), "-W", "error", FOLDER / f"{program.name}.py"],
        cwd=folder,
        env=surroundings(
            MATPLOTLIBRC=str(MATPLOTLIBRC),
            MPLBACKEND="module://showing",
            PYTHONPATH=str(HOUSE / "tests" / "programs"),
            SHOWING_FOLDER=str(pictures),
        ),
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_gives_what_its_page_shows(program, tmp_path):
    assert (FOLDER / f"{program.name}.py").read_bytes() == program.text.encode()
    done = run(program, "data" if "sklearn" in program.text else "plots", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""

    # Lines from above may print too; the cell's own output comes last.
    shown, said = program.printed.rstrip().splitlines(), done.stdout.rstrip().splitlines()
    last = said[max(0, len(said) - len(shown)) :] if shown else []
    assert difference("\n".join(last), program.printed) is None

    drawn = [file.read_text() for file in sorted((tmp_path / "pictures").iterdir())]
    drawn = drawn[len(drawn) - len(program.pictures) :]
    assert len(drawn) == len(program.pictures)
    for svg, theirs in zip(drawn, program.pictures, strict=True):
        assert difference(as_on_the_page(svg, theirs), theirs) is None


def as_on_the_page(svg, like):
    picture = BeautifulSoup(like, "html.parser").svg
    name = picture.find(id=True)["id"]
    prefix = "-".join(name.split("-")[:2]) + "-"
    text = themed(svg, picture["aria-label"], prefix)
    return str(BeautifulSoup(text, "html.parser"))


@pytest.mark.parametrize("program", WITH_DATA, ids=lambda program: program.name)
def test_without_its_data_a_program_says_what_to_install(program, tmp_path):
    done = run(program, "plots", tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "the data come from scikit-learn: pip install scikit-learn"
