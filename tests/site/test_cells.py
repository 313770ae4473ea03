"""Outputs are never older than the library, and no cell runs without need."""

import os
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest
from extensions.cells import kernels, keys, offline
from extensions.cells.keys import digest

CELL = "```{code-cell} python3\nprint('answer', 6 * 7)\n```\n"
USES_LIBRARY = "```{code-cell} python3\nimport toy\nprint('constant', toy.STEPS)\n```\n"


@pytest.fixture
def package(tmp_path):
    (tmp_path / "module.py").write_text("x = 1\n")
    return tmp_path


def test_the_digest_stays_while_nothing_changes(package):
    before = digest(package, "profile")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "module.pyc").write_bytes(b"compiled")
    assert digest(package, "profile") == before


def test_the_digest_knows_content_name_settings_and_versions(package):
    seen = {digest(package), digest(package, "profile"), digest(package, packages=["numpy"])}
    (package / "module.py").write_text("x = 2\n")
    seen.add(digest(package))
    (package / "module.py").rename(package / "other.py")
    seen.add(digest(package))
    assert len(seen) == 5


def test_the_digest_knows_the_files_that_cells_read(package, tmp_path_factory):
    read = tmp_path_factory.mktemp("measured") / "results.json"
    read.write_text("{}")
    before = digest(package, files=[read])
    assert before == digest(package, files=[str(read)]) != digest(package)
    read.write_text("[]")
    assert digest(package, files=[read]) != before


@pytest.mark.parametrize("name", ["torch", "numpy", "matplotlib", "ipykernel", "myst-nb"])
def test_the_digest_knows_every_package_that_decides_an_output(package, monkeypatch, name):
    before, version = digest(package), metadata.version

    def newer(asked):
        return "99" if asked == name else version(asked)

    monkeypatch.setattr(metadata, "version", newer)
    assert digest(package) != before


@pytest.mark.parametrize("what", ["version", "prefix"])
def test_the_digest_knows_the_interpreter(package, monkeypatch, what):
    before = digest(package)
    monkeypatch.setattr(sys, what, "another")
    assert digest(package) != before


def test_the_digest_knows_how_kernels_are_set_up(tmp_path, monkeypatch):
    for name in kernels.ARITHMETIC:
        monkeypatch.delenv(name, raising=False)
    style, guard = tmp_path / "matplotlibrc", tmp_path / "offline.py"
    style.write_text("")
    guard.write_text("")
    config = SimpleNamespace(kernels_matplotlibrc=str(style))
    assert offline.REFUSED in "".join(kernels.settings(config)), "what holds the network back"
    monkeypatch.setattr(kernels, "LOADED", [guard])
    seen = [kernels.settings(config)]
    for change in (
        lambda: style.write_text("lines.linewidth: 2"),
        lambda: guard.write_text("pass"),
        lambda: monkeypatch.setattr(kernels, "PROFILE", ""),
        lambda: monkeypatch.setenv("OMP_NUM_THREADS", "2"),
        lambda: monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default"),
        lambda: monkeypatch.setenv("MKL_CBWR", "COMPATIBLE"),
    ):
        change()
        assert kernels.settings(config) not in seen
        seen.append(kernels.settings(config))


def test_a_change_is_noticed_by_its_time_and_by_its_content(package, tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cells")
    config = SimpleNamespace(cells_package=str(package), cells_files=[], cells_folder=str(folder))
    monkeypatch.setattr(kernels, "settings", lambda config: [])
    module = package / "module.py"
    os.utime(module, (1, 1))
    cache = keys.current(config)
    cache.mkdir(parents=True)
    (cache / keys.RUNNING).touch()
    assert not keys.mixed(config, cache)
    os.utime(module)
    os.utime(cache / keys.RUNNING, (1, 1))
    assert keys.mixed(config, cache), "saved again, perhaps after a change back"
    os.utime(module, (1, 1))
    assert not keys.mixed(config, cache)
    module.write_text("x = 2\n")
    os.utime(module, (1, 1))
    assert keys.mixed(config, cache), "another content with an old time"


def test_cells_run_when_something_they_depend_on_changed_and_only_then(new_book):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", USES_LIBRARY)
    book.write("two", CELL)

    first = book.build()
    assert first.code == 0, first.said
    assert first.executed == {"one", "two"}
    assert "constant 314" in first.page("one")
    assert "answer 42" in first.page("two")

    unchanged = book.build()
    assert unchanged.code == 0, unchanged.said
    assert unchanged.executed == set()
    assert "0 added, 0 changed, 0 removed" in unchanged.said

    book.write("two", CELL.replace("7", "8"))
    edited = book.build()
    assert edited.executed == {"two"}
    assert "answer 48" in edited.page("two")

    book.library(STEPS=159)
    newer = book.build("-j", "2")
    assert newer.code == 0, newer.said
    assert newer.executed == {"one", "two"}
    assert "constant 159" in newer.page("one")
    assert len(list((book.folder / "build" / "cells").iterdir())) == 1

    book.library(STEPS=265)
    alone = book.build(doctrees="doctrees-page", GDLA_PAGES="one")
    assert alone.executed == {"one"}
    assert "constant 265" in alone.page("one")
    assert "constant" not in alone.page("two")

    assert {path.name for path in book.folder.iterdir()} == {"book", "build", "toy"}
    strangers = [path for path in (book.folder / "book").iterdir() if path.suffix != ".md"]
    assert not strangers, "cells left something beside the pages"
