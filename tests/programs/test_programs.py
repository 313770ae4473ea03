"""What the copy button gives runs alone, and prints and draws what its page shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup
from extensions.figures.themed import themed

from tests.programs import forking
from tests.programs.alone import HOUSE, surroundings
from tests.programs.conftest import FOLDER, PROGRAMS, python
from tests.programs.taken import difference, spread

MATPLOTLIBRC = HOUSE / "_config" / "matplotlibrc"
WITH_DATA = [program for program in PROGRAMS if "sklearn" in program.text]


FIRST = {program.name.rpartition("-")[0]: program.name for program in reversed(PROGRAMS)}
# Where no process forks safely, each program has an interpreter that was just started.
FORKS = sys.platform == "linux"


class Done(NamedTuple):
    """How a program ended."""

    code: int
    said: str
    complained: str


def fresh(program, extra, folder, pictures):
    """Run a program in an interpreter that was just started."""
    done = subprocess.run(
        [python(extra), "-W", "error", FOLDER / f"{program.name}.py"],
        cwd=folder,
        env=shell(SHOWING_FOLDER=str(pictures)),
        capture_output=True,
        encoding="utf-8",
    )
    return Done(done.returncode, done.stdout, done.stderr)


def shell(**variables):
    return surroundings(
        MATPLOTLIBRC=str(MATPLOTLIBRC),
        MPLBACKEND="module://showing",
        PYTHONPATH=str(HOUSE / "tests" / "programs"),
        **variables,
    )


@pytest.fixture(scope="module")
def servers():
    """An interpreter for each extra, which forks; made when first asked for."""
    started = {}

    def server(extra):
        if extra not in started:
            started[extra] = subprocess.Popen(
                [python(extra), "-W", "error", Path(forking.__file__)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=shell(),
                encoding="utf-8",
            )
        return started[extra]

    yield server
    for process in started.values():
        process.communicate()


@pytest.fixture
def run(servers, tmp_path):
    """Run a program in an empty folder; return how it ended, and where its pictures are."""

    def running(program, extra):
        folder, pictures = tmp_path / "empty", tmp_path / "pictures"
        folder.mkdir()
        pictures.mkdir()
        # The first of each page shows that nothing hangs on what was loaded before.
        if not FORKS or program.name == FIRST[program.name.rpartition("-")[0]]:
            return fresh(program, extra, folder, pictures), pictures
        job = {"file": f"{FOLDER / program.name}.py", "folder": folder, "pictures": pictures}
        server = servers(extra)
        server.stdin.write(json.dumps(job, default=str) + "\n")
        server.stdin.flush()
        return Done(**json.loads(server.stdout.readline())), pictures

    return running


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program_gives_what_its_page_shows(program, run):
    assert (FOLDER / f"{program.name}.py").read_bytes() == program.text.encode()
    done, pictures = run(program, "data" if "sklearn" in program.text else "plots")
    assert done.code == 0, done.complained
    assert done.complained == ""

    # Lines from above may print too; the cell's own output comes last.
    shown, said = program.printed.rstrip().splitlines(), done.said.rstrip().splitlines()
    last = said[max(0, len(said) - len(shown)) :] if shown else []
    assert difference("\n".join(last), program.printed) is None

    drawn = [file.read_text() for file in sorted(pictures.iterdir())]
    drawn = drawn[len(drawn) - len(program.pictures) :]
    assert len(drawn) == len(program.pictures)
    if program.varies:
        return
    for svg, theirs in zip(drawn, program.pictures, strict=True):
        ours = as_on_the_page(svg, theirs)
        # What the page rounded to hundredths may have been rounded to the next one.
        assert difference(spread(ours), spread(theirs), atol=0.011) is None


def as_on_the_page(svg, like):
    picture = BeautifulSoup(like, "html.parser").svg
    named = picture.find(id=True)
    prefix = "-".join(named["id"].split("-")[:2]) + "-" if named else ""
    text = themed(svg, picture["aria-label"], prefix, {})
    return str(BeautifulSoup(text, "html.parser"))


@pytest.mark.parametrize("program", WITH_DATA, ids=lambda program: program.name)
def test_without_its_data_a_program_says_what_to_install(program, run):
    done, _ = run(program, "plots")
    assert done.code == 1
    assert done.complained.strip() == "the data come from scikit-learn: pip install scikit-learn"


def test_hardly_a_picture_hangs_on_clock_or_rounding():
    # These are drawn, but not compared with the page.
    assert {p.name.rpartition("-")[0] for p in PROGRAMS if p.varies} <= {"faster"}
    assert sum(program.varies for program in PROGRAMS) <= 2
