"""Write the programs beside each other, make what runs them, and sum up."""

import shutil
import statistics
import sys
from pathlib import Path

import pytest

from tests.programs.alone import HOUSE, interpreter
from tests.programs.taken import HTML, programs

FOLDER = HOUSE / "build" / "programs"
ALONE = HOUSE / "build" / "alone"
PROGRAMS = list(programs())


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if not PROGRAMS:
        raise pytest.UsageError(f"no page in {HTML} has a program; nox -s docs makes them")
    shutil.rmtree(FOLDER, ignore_errors=True)
    for program in PROGRAMS:
        file = FOLDER / f"{program.name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(program.text.encode())  # byte for byte: line ends stay as they are
    interpreter(ALONE / "plots", "plots")
    interpreter(ALONE / "data", "plots", "data")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    say = terminalreporter.write_line
    ran = [
        report
        for report in terminalreporter.stats.get("passed", [])
        if "test_a_program_gives_what_its_page_shows" in report.nodeid
    ]
    lengths = [program.lines for program in PROGRAMS]
    complete = sum(program.lines == program.cell for program in PROGRAMS)
    terminalreporter.section("programs")
    say(
        f"{len(PROGRAMS)} programs, {len(ran)} ran and agree with their pages, "
        f"{sum(report.duration for report in ran):.0f} seconds in all"
    )
    say(f"lines: median {statistics.median(lengths):.0f}, largest {max(lengths)}")
    say(f"{complete} cells ({complete / len(PROGRAMS):.0%}) need nothing from above")


def python(extra: str) -> Path:
    """Return the interpreter that sees gdla with its pictures, or with its data too."""
    place = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    return ALONE / extra / place
