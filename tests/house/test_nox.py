"""The decisions that noxfile.py takes, without taking the actions."""

import inspect
from pathlib import Path

import pytest

import noxfile

HOUSE = Path(__file__).parents[2]
SESSIONS = ("docs", "live", "tests", "snippets", "site", "lint", "bench", "mutations", "clean")

LINUX = {"platform_system": "Linux", "sys_platform": "linux"}
MAC = {"platform_system": "Darwin", "sys_platform": "darwin"}
WINDOWS = {"platform_system": "Windows", "sys_platform": "win32"}

PLAIN = ["filelock", "sympy>=1.13.3", 'pyyaml; extra == "pyyaml"']
# The wheels of PyPI list these for every system and leave the choice to the markers.
CUDA = [
    'nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"',
    'triton==3.7.1; platform_system == "Linux"',
]


def report(needs):
    """Build what pip reports of a torch that requires these."""
    return {"install": [{"metadata": {"name": "torch", "requires_dist": needs}}]}


@pytest.mark.parametrize("system", [LINUX, MAC, WINDOWS])
def test_a_cpu_build_is_taken_where_pip_finds_it(system):
    assert noxfile.torch_index(report(PLAIN), system) is None


def test_cuda_is_left_where_it_is():
    assert noxfile.torch_index(report(PLAIN + CUDA), LINUX) == noxfile.CPU_INDEX


@pytest.mark.parametrize("system", [MAC, WINDOWS])
def test_what_is_cuda_on_linux_is_for_the_cpu_elsewhere(system):
    assert noxfile.torch_index(report(PLAIN + CUDA), system) is None


@pytest.mark.parametrize("need", ["nvidia-nccl-cu13", "cuda-toolkit[cublas]==13.0.3", "triton"])
def test_each_sign_of_cuda_suffices(need):
    assert noxfile.torch_index(report([need])) == noxfile.CPU_INDEX


def test_a_wheel_that_requires_nothing_is_for_the_cpu():
    assert noxfile.torch_index({"install": [{"metadata": {"name": "torch"}}]}) is None


@pytest.mark.parametrize("word", ["book/svd.md", "svd.md", "svd", "./book/svd.md"])
def test_a_page_goes_by_several_names(word):
    assert noxfile.chosen_pages([word], {"index", "svd"}) == ["svd"]


def test_a_wrong_page_is_answered_with_the_right_ones():
    with pytest.raises(ValueError, match=r"no page book/sdv\.md; the pages are index, svd"):
        noxfile.chosen_pages(["book/sdv.md"], {"svd", "index"})


def test_only_what_is_installed_changes_the_fingerprint():
    project = {"project": {"dependencies": ["torch"]}, "tool": {"ruff": {"line-length": 100}}}
    stamp = noxfile.fingerprint(project)
    assert noxfile.fingerprint(project | {"tool": {}}) == stamp
    assert noxfile.fingerprint(project | {"project": {"dependencies": []}}) != stamp


def test_another_index_changes_the_fingerprint(monkeypatch):
    monkeypatch.delenv("GDLA_TORCH_INDEX", raising=False)
    stamp = noxfile.fingerprint({})
    monkeypatch.setenv("GDLA_TORCH_INDEX", "https://example.org")
    assert noxfile.fingerprint({}) != stamp


class Session:
    """A session that notes what it would run, and fails if told to."""

    def __init__(self, fails=False):
        self.commands, self.fails = [], fails

    def run(self, *command, **options):
        self.commands.append(command)
        if self.fails:
            raise noxfile.CommandFailed


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """A place for what would be written into build/."""
    monkeypatch.setattr(noxfile, "BUILD", tmp_path)
    monkeypatch.setattr(noxfile, "VENV", tmp_path)


@pytest.mark.parametrize(("group", "brings"), [("bench", "pymanopt"), ("site", "playwright")])
def test_what_one_session_needs_is_installed_once_and_for_it_alone(elsewhere, group, brings):
    assert group not in noxfile.GROUPS
    first, second = Session(), Session()
    noxfile.add(first, group)
    (command,) = first.commands
    assert any(word.startswith(brings) for word in command)
    assert not any(word.startswith("torch") for word in command), "it is there already"
    noxfile.add(second, group)
    assert second.commands == []


def test_what_could_not_be_installed_is_tried_again(elsewhere):
    session = Session(fails=True)
    for _ in range(2):
        with pytest.raises(noxfile.CommandFailed):
            noxfile.add(session, "bench")
    assert len(session.commands) == 2


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_says_in_one_line_what_it_does(name):
    sentence = inspect.getdoc(getattr(noxfile, name))
    assert sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", SESSIONS)
def test_the_readme_names_every_session(name):
    assert f"`nox -s {name}`" in (HOUSE / "README.md").read_text(encoding="utf-8")
