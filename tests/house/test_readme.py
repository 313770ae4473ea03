"""What README, pyproject.toml, constraints.txt and CITATION.cff say is true, and the same."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import gdla
import noxfile

HOUSE = Path(__file__).parents[2]
README = (HOUSE / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
PINS = {
    canonicalize_name(pin.name): pin
    for line in (HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
    for pin in [Requirement(line)]
}
NEEDS = [
    Requirement(line)
    for lines in (
        PROJECT["build-system"]["requires"],
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    )
    for line in lines
]


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
def test_an_example_runs_alone(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    # What an example prints stands beside the print, as a comment.
    assert done.stdout.splitlines() == [
        said.strip() for said in re.findall(r"print\(.*# (.*)", code)
    ]


def test_the_two_commands_come_first():
    title, rest = README.split("\n", 1)
    assert title.startswith("# ")
    assert rest.lstrip().startswith("```")
    assert re.findall(r"nox -s (\w+)", rest)[:2] == ["docs", "tests"]


def test_commands_name_sessions_that_exist():
    for name in re.findall(r"nox -s (\w+)", README):
        assert callable(getattr(noxfile, name))


@pytest.mark.parametrize("need", NEEDS, ids=str)
def test_a_range_admits_the_version_that_is_tested(need):
    (pin,) = PINS[canonicalize_name(need.name)].specifier
    assert need.specifier.contains(pin.version)


@pytest.mark.parametrize("need", NEEDS[1:3], ids=str)
def test_what_users_install_has_both_bounds(need):
    assert {bound.operator for bound in need.specifier} == {">=", "<"}


def test_one_version_everywhere():
    citation = (HOUSE / "CITATION.cff").read_text(encoding="utf-8")
    changes = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")
    (cited,) = re.findall(r"^version: (.+)$", citation, flags=re.MULTILINE)
    assert PROJECT["project"]["version"] == gdla.__version__ == cited
    assert f"## [{cited}]" in changes
