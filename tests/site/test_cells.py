"""Outputs are never older than the library, and no cell runs without need."""

import pytest
from extensions.cells import digest

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
