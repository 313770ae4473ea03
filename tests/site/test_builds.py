"""Whatever happened to the build before, or happens beside this one, the pages are right."""

import hashlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest
from books import ended
from extensions.builds import again, together
from extensions.cells.caches import SharedCache, mend
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat import read
from nbformat.v4 import new_code_cell, new_notebook

USES_LIBRARY = "```{code-cell} python3\nimport toy\nprint('constant', toy.STEPS)\n```\n"
DRAWS = """\
```{code-cell} python3
---
mystnb: {image: {alt: A square}}
---
from IPython.display import display
square = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
display({"image/svg+xml": square, "text/plain": "A square"}, raw=True)
```

"""
WAITS = """\
```{{code-cell}} python3
import socket
with socket.create_connection(("127.0.0.1", {port})) as gate:
    passed = gate.recv(1)
```
"""


class Gate:
    """Where a cell waits until the test lets it pass."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(600)
        self.cell = WAITS.format(port=self.server.getsockname()[1])

    def reached(self):
        self.waiting, _ = self.server.accept()

    def open(self):
        with self.waiting:
            self.waiting.send(b".")


@pytest.fixture
def gate():
    gate = Gate()
    with gate.server:
        yield gate


def good(build):
    assert build.code == 0, build.said
    return build


def texts(book, **pages):
    """Write pages without cells; their titles are the names."""
    for name, text in pages.items():
        book.write(name, "")
        (book.folder / "book" / f"{name}.md").write_text(f"# {name.title()}\n\n{text}\n")


def test_after_a_build_that_was_killed_while_it_wrote_pages_all_are_whole_and_new(new_book):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", USES_LIBRARY)
    book.write("two", USES_LIBRARY)
    good(book.build())

    book.library(STEPS=159)
    killed = ended(book.start(killed=["html-page-context", "two"]))
    assert killed.code not in (0, 1, 2), killed.said
    assert "constant 159" in killed.page("one")
    assert "constant 314" in killed.page("two"), "the page that the next build has to write"
    half = killed.page("one")[:99]
    (killed.html / "one.html").write_text(half)

    # Not even a build of one page, which has a memory of its own, makes the others forget it.
    book.build(doctrees="doctrees-page", GDLA_PAGES="index")
    healed = good(book.build())
    assert healed.executed == set(), "what was executed before the kill is kept"
    for page in "one", "two":
        assert "constant 159" in healed.page(page)
        assert "</html>" in healed.page(page)
    assert not (healed.html / again.MARK).exists()


def test_a_build_that_was_killed_takes_no_warning_to_its_grave(new_book):
    book = new_book()
    texts(book, one="```{nonsense}\n```")
    assert ended(book.start(killed=["write-started"])).code not in (0, 1, 2)
    after = book.build()
    assert after.code == 1
    assert "Unknown directive" in after.said


def test_pages_that_were_written_without_outputs_are_written_again(new_book):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", USES_LIBRARY)
    book.write("two", USES_LIBRARY)
    good(book.build())
    alone = book.build(doctrees="doctrees-page", GDLA_PAGES="one")
    assert "constant 314" in alone.page("one")
    assert "constant 314" not in alone.page("two")
    whole = good(book.build())
    assert "constant 314" in whole.page("two")
    assert whole.executed == set()


def test_half_of_a_picture_is_thrown_away(tmp_path):
    app = SimpleNamespace(doctreedir=tmp_path / "doctrees", outdir=tmp_path / "html")
    app.outdir.mkdir()
    pictures = tmp_path / again.OUTPUT_FOLDER
    pictures.mkdir()
    half, whole, other = (
        pictures / f"{hashlib.sha256(b'<svg></svg>').hexdigest()}.svg",
        pictures / f"{hashlib.sha256(b'<svg/>').hexdigest()}.svg",
        pictures / "page.ipynb",
    )
    half.write_bytes(b"<svg>")
    whole.write_bytes(b"<svg/>")
    other.write_bytes(b"{}")
    again.begin(app, None)
    assert set(pictures.iterdir()) == {whole, other}


def executed(cache, source):
    """Put a notebook into a cache, and return the file that holds it."""
    notebook = new_notebook(cells=[new_code_cell(source, execution_count=1)])
    record = cache.cache_notebook_bundle(CacheBundleIn(notebook, source, data={}))
    return cache.path / "executed" / record.hashkey / "base.ipynb"


def known(folder):
    cache = get_cache(str(folder))
    return {cache.get_cache_bundle(record.pk).record.uri for record in cache.list_cache_records()}


def test_a_notebook_that_was_recorded_and_not_written_is_executed_again(tmp_path):
    mend(tmp_path)
    cache = get_cache(str(tmp_path))
    executed(cache, "whole")
    executed(cache, "recorded").unlink()
    half = executed(cache, "half")
    half.write_text(half.read_text()[:99])
    executed(cache, "begun").write_text("")

    mend(tmp_path)
    assert known(tmp_path) == {"whole"}
    # None of them is in the way when it comes again.
    for source in "recorded", "half", "begun":
        executed(get_cache(str(tmp_path)), source)
    assert known(tmp_path) == {"whole", "recorded", "half", "begun"}


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0 and then nothing"])
def test_a_database_that_was_not_finished_is_made_anew(tmp_path, content):
    mend(tmp_path)
    executed(get_cache(str(tmp_path)), "old")
    (tmp_path / "global.db").write_bytes(content)
    mend(tmp_path)
    executed(get_cache(str(tmp_path)), "new")
    assert known(tmp_path) == {"new"}


def test_pages_with_the_same_cells_do_not_collide(tmp_path):
    """Eight of them end at once, over and over."""
    mend(tmp_path)

    def page(place):
        for source in map(str, range(9)):
            cache = SharedCache(tmp_path)
            gate.wait()
            file = executed(cache, source)
            assert read(file, as_version=4).cells[0].source == source
            cache.db.dispose()

    gate = Barrier(8, timeout=60)
    with ThreadPoolExecutor(8) as pages:
        list(pages.map(page, range(8)))
    assert known(tmp_path) == set(map(str, range(9)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Sphinx forks no readers here")
def test_the_readers_of_a_killed_build_end_with_it_and_the_next_is_right(new_book, gate):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", USES_LIBRARY + gate.cell)
    book.write("two", USES_LIBRARY)
    first = book.start("-j", "4")
    gate.reached()
    first.kill()
    # The reader of `one`, whose cell waits at the gate, would otherwise be there for ever.
    assert ended(first).code not in (0, 1, 2)
    gate.waiting.close()

    second = book.start("-j", "4")
    gate.reached()
    gate.open()
    healed = good(ended(second))
    assert "one" in healed.executed
    assert "waiting" not in healed.said, "the lock was let go"
    for page in "one", "two":
        assert "constant 314" in healed.page(page)


def read_until(process, words):
    """Return what a build said, up to these words and perhaps beyond."""
    said = b""
    while words.encode() not in said:
        more = os.read(process.stdout.fileno(), 9999)
        assert more, said.decode()
        said += more
    return said.decode()


@pytest.mark.parametrize("library", ["same", "different"])
def test_of_two_builds_at_once_the_second_waits_and_both_are_right(new_book, gate, library):
    book, different = new_book(), library == "different"
    book.library(STEPS=314)
    book.write("one", gate.cell + USES_LIBRARY)
    other = book.folder / "other" / "toy"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("STEPS = 159\n")

    first = book.start()
    gate.reached()
    second = book.start(*(["-D", f"cells_package={other}"] if different else []))
    said = read_until(second, "waiting for another build")
    assert str(book.folder / "build") in said
    gate.open()
    one = good(ended(first))
    if different:
        gate.reached()
        gate.open()
    two = good(ended(second, said))
    assert one.executed == {"one"}
    assert two.executed == ({"one"} if different else set())
    assert ("constant 159" if different else "constant 314") in two.page("one")
    (cache,) = (book.folder / "build" / "cells").iterdir()
    assert len(known(cache)) == 1


def test_outputs_are_not_kept_if_the_library_was_changed_while_cells_ran(new_book, gate):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", gate.cell + USES_LIBRARY)
    build = book.start()
    gate.reached()
    book.library(STEPS=159)
    gate.open()
    # The cell has read what was written after the build took its key.
    mixed = ended(build)
    assert "constant 159" in mixed.page("one")
    assert mixed.code == 1
    assert "toy changed, or something else that cells run against, while they ran" in mixed.said

    # Back again: the key is the old one, its outputs would be those of the new library.
    book.library(STEPS=314)
    build = book.start()
    gate.reached()
    gate.open()
    healed = good(ended(build))
    assert healed.executed == {"one"}
    assert "constant 314" in healed.page("one")


def test_nor_if_it_was_changed_back_in_time_or_the_build_was_killed(new_book, gate):
    book = new_book()
    book.library(STEPS=314)
    book.write("one", gate.cell + USES_LIBRARY)
    build = book.start(killed=["write-started"])
    gate.reached()
    book.library(STEPS=159)
    gate.open()
    assert ended(build).code not in (0, 1, 2)
    book.library(STEPS=314)
    build = book.start()
    gate.reached()
    book.library(STEPS=159)
    book.library(STEPS=314)
    gate.open()
    there_and_back = ended(build)
    assert there_and_back.executed == {"one"}, "the killed one executed it with another library"
    assert there_and_back.code == 1
    assert "while they ran" in there_and_back.said
    build = book.start()
    gate.reached()
    gate.open()
    assert good(ended(build)).executed == {"one"}
    assert book.build().executed == set()


def test_a_page_that_was_changed_while_its_cells_ran_is_read_again(new_book, gate):
    book = new_book()
    book.write("one", gate.cell + DRAWS + "Early words.\n")
    build = book.start()
    gate.reached()
    book.write("one", gate.cell + DRAWS + "Late words.\n")
    gate.open()
    assert "Early words" in good(ended(build)).page("one")
    later = good(book.build())
    assert "Late words" in later.page("one")
    assert later.executed == set()
    # And then no more: what a cell drew is a new file, on which its page depends.
    assert "0 added, 0 changed" in good(book.build()).said


def test_pages_show_the_titles_places_and_sources_that_others_have_now(new_book):
    book = new_book()
    book.library(STEPS=314)
    texts(
        book,
        one="(here)=\n## Old heading\n\n[](#there)",
        two="(there)=\n## Old place\n\n```{literalinclude} ../toy/__init__.py\n```",
        three="Words.",
    )
    first = good(book.build())
    assert "Old place" in first.page("one")
    assert "Three" in first.page("one"), "the menu"

    texts(book, two="(there)=\n## New place\n\n```{literalinclude} ../toy/__init__.py\n```")
    assert "New place" in good(book.build()).page("one")

    book.library(STEPS=159)
    assert "159" in good(book.build()).page("two")

    (book.folder / "book" / "three.md").unlink()
    texts(book, two="Words.")
    broken = book.build()
    assert broken.code == 1
    assert "one.md" in broken.said
    assert "there" in broken.said, "a reference from a page that did not change"
    assert "Three" not in broken.page("one")
    assert not (broken.html / "three.html").exists()
    assert (broken.html / "search.html").exists()


def test_the_code_of_the_site_and_what_is_installed_are_a_setting(tmp_path, monkeypatch):
    config = SimpleNamespace()
    monkeypatch.setattr(together, "__file__", str(tmp_path / "builds" / "together.py"))
    monkeypatch.setattr(together.sysconfig, "get_path", lambda name: str(tmp_path / "installed"))

    def code():
        together.watch_code(None, config)
        return config.together_code

    seen = [code(), code()]
    (tmp_path / "outputs.py").write_text("")
    seen.append(code())
    (tmp_path / "installed" / "sphinx-9.0.dist-info").mkdir(parents=True)
    seen.append(code())
    assert len(set(seen)) == 3
    assert seen[0] == seen[1]
