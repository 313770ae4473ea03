"""The house stays as it was laid out: few things at the top, and small rooms."""

import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

TOP = {
    ".ci",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "_config",
    "book",
    "constraints.txt",
    "gdla",
    "noxfile.py",
    "pyproject.toml",
    "tests",
}


@pytest.fixture(scope="module")
def files():
    """The files that git keeps or would keep."""
    ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(ask, cwd=HOUSE, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [Path(name) for name in answer.stdout.decode().split("\0") if name]
    return [path for path in paths if (HOUSE / path).exists()]


def test_the_top_holds_what_it_should_and_nothing_more(files):
    assert {path.parts[0] for path in files} == TOP


def test_pages_hold_nothing_that_builds_the_site(files):
    book = [path for path in files if path.parts[0] == "book"]
    assert not [path for path in book if path.suffix in {".css", ".html", ".js", ".py", ".toml"}]


@pytest.mark.parametrize("file", sorted((HOUSE / "gdla").rglob("*.py")), ids=lambda file: file.stem)
def test_a_module_is_one_room(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) < 300
