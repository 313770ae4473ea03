"""Build small books with the site's own settings, and the real one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Popen = subprocess.Popen[str]

HOUSE = Path(__file__).parents[2]
# What the library drew for one book it need not draw for another.
IDENTITY = HOUSE / "build" / "identity"
# In reading order; the other pages are reference.
CHAPTERS = [
    *("tensors", "derivatives", "descent", "noise"),
    *("inverse", "svd", "unchecked"),
    *("faster", "clinic"),
]
NOTEBOOK = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n{}---\n# {}\n\n{}"


@dataclass(frozen=True)
class Build:
    """What a build said, and where it put its pages."""

    code: int
    said: str
    html: Path

    def page(self, name: str) -> str:
        return (self.html / f"{name}.html").read_text(encoding="utf-8")

    @property
    def executed(self) -> set[str]:
        lines = [line for line in self.said.splitlines() if ": Executing notebook" in line]
        return {Path(line.split(": Executing")[0]).stem for line in lines}


@dataclass(frozen=True)
class Book:
    """A book of a few pages that imports a library of a few lines."""

    folder: Path

    def library(self, **constants: float) -> None:
        package = self.folder / "toy"
        package.mkdir(exist_ok=True)
        lines = [f"{name} = {value}\n" for name, value in constants.items()]
        (package / "__init__.py").write_text("".join(lines))

    def write(self, name: str, text: str, front: str = "") -> None:
        (self.folder / "book").mkdir(exist_ok=True)
        (self.folder / "book" / f"{name}.md").write_text(NOTEBOOK.format(front, name, text))
        # The first page lists all, itself left out.
        pages = sorted(file.stem for file in (self.folder / "book").glob("*.md"))
        listed = "\n".join(page for page in pages if page != "index")
        (self.folder / "book" / "index.md").write_text(
            f"# A book\n\n```{{toctree}}\n{listed}\n```\n"
        )

    def build(self, *options: str, doctrees: str = "doctrees", **variables: str) -> Build:
        return ended(self.start(*options, doctrees=doctrees, **variables))

    def start(
        self,
        *options: str,
        doctrees: str = "doctrees",
        killed: Sequence[str] = (),
        **variables: str,
    ) -> Popen:
        """Begin to build; see `start`."""
        target = self.folder / "build"
        return start(
            *["-d", str(target / doctrees), "-D", f"cells_package={self.folder / 'toy'}"],
            *["-D", "bibtex_bibfiles=", "-D", f"identity_folder={IDENTITY}", *options],
            *[str(self.folder / "book"), str(target / "html")],
            killed=killed,
            GDLA_BUILD=str(target),
            **variables,
        )


# Runs Sphinx until an event that concerns a page, if one is named; then the system ends it.
KILLED = """\
import os, signal, sys
from sphinx.cmd.build import main
from sphinx.events import EventManager

emit, sphinx, (event, *page) = EventManager.emit, os.getpid(), sys.argv.pop(1).split()

def until(self, name, *arguments, **options):
    if name == event and all(named in arguments for named in page):
        os.kill(sphinx, getattr(signal, "SIGKILL", signal.SIGTERM))
    return emit(self, name, *arguments, **options)

EventManager.emit = until
sys.exit(main(sys.argv[1:]))
"""


def start(*arguments: str, killed: Sequence[str] = (), **variables: str) -> Popen:
    """Begin to run Sphinx as `nox -s docs` does.

    Args:
        *arguments: of sphinx-build, the folder of the pages last.
        killed: an event, and perhaps a page, at which the system ends it, as `kill -9` does.
        **variables: of the environment.
    """
    # ipykernel does not catch what is written below Python where it sees pytest's variable.
    strange = {"GDLA_PAGES", "PYTEST_CURRENT_TEST"}
    kept = {name: value for name, value in os.environ.items() if name not in strange}
    how = ["-c", KILLED, " ".join(killed)] if killed else ["-m", "sphinx"]
    return subprocess.Popen(
        [sys.executable, *how, "-n", "-W", "--keep-going", "-c", "_config", *arguments],
        cwd=HOUSE,
        env={**kept, "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def ended(process: Popen, said: str = "") -> Build:
    """Wait until a build and all that it started are gone: only then does its output end."""
    try:
        said += process.communicate(timeout=1500)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Build(process.returncode, said, Path(process.args[-1]).absolute())


def sphinx(*arguments: str, **variables: str) -> Build:
    """Run Sphinx as `nox -s docs` does."""
    return ended(start(*arguments, **variables))
