"""Build small books with the site's own settings, and the real one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
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
        target = self.folder / "build"
        return sphinx(
            *["-d", str(target / doctrees), "-D", f"cells_package={self.folder / 'toy'}"],
            *["-D", "bibtex_bibfiles=", *options],
            *[str(self.folder / "book"), str(target / "html")],
            GDLA_BUILD=str(target),
            **variables,
        )


def sphinx(*arguments: str, **variables: str) -> Build:
    """Run Sphinx as `nox -s docs` does."""
    # ipykernel does not catch what is written below Python where it sees pytest's variable.
    strange = {"GDLA_PAGES", "PYTEST_CURRENT_TEST"}
    kept = {name: value for name, value in os.environ.items() if name not in strange}
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-c", "_config"]
    done = subprocess.run(
        [*command, *arguments],
        cwd=HOUSE,
        env={**kept, "NO_COLOR": "1", "OMP_NUM_THREADS": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return Build(done.returncode, done.stdout, Path(arguments[-1]).absolute())
