"""The foot of a page is true, and never older than the commit; what it says is in the table too."""

import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from html import unescape
from importlib import metadata

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

CELL = "```{code-cell} python3\nprint('answer', 6 * 7)\n```\n\n"
REMOVED = "```{code-cell} python3\n:tags: [remove-cell]\nx = 1\n```\n\n"
TABLE = "# Table\n\n```{executed-pages}\n```\n"
REPOSITORY = "https://example.org/owner/name"
FOOT = re.compile(r'<footer class="provenance">(.*?)</footer>', re.S)
ROW = re.compile(r"<tr>(.*?)</tr>", re.S)
DAY = r"\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC"
VERSION = metadata.version("gdla")
BASE = rf"gdla {re.escape(VERSION)} \(commit [^()]+\)"


def plain(html):
    return unescape(re.sub(r"<[^>]*>", "", html))


def sound(build):
    assert build.code == 0, build.said
    return build


def foot(build, page):
    (found,) = FOOT.findall(build.page(page))
    return plain(found)


def table(build, page="table"):
    (rows,) = re.findall(
        r'<table class="table executed-pages">(.*?)</table>', build.page(page), re.S
    )
    return [
        [plain(entry) for entry in re.findall(r"<t[dh]>(.*?)</t", row)] for row in ROW.findall(rows)
    ]


def git(book, *arguments):
    """Run git in a book's folder, with nobody's settings."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org", *arguments]
    done = subprocess.run(
        command, cwd=book.folder, env=mine | nobody, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


def text_page(book, name, text):
    """Write a page that is no notebook."""
    book.write(name, "")
    (book.folder / "book" / f"{name}.md").write_text(text)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_the_commit_is_never_stale_and_costs_no_execution(new_book):
    book = new_book()
    book.write("one", CELL)
    text_page(book, "two", "# Two\n\nSee {source}`toy/__init__.py`.\n")
    (book.folder / ".gitignore").write_text("build\n")
    here = [f"provenance_folder={book.folder}", f"provenance_repository={REPOSITORY}"]
    options = ["-D", here[0], "-D", here[1]]

    # A repository around this one is another's: where tests leave their books there may be one.
    homeless = sound(book.build(*options))
    assert homeless.executed == {"one"}
    assert "(commit unknown), torch" in foot(homeless, "one")
    assert foot(homeless, "two") == f"gdla {VERSION} (commit unknown)."
    assert REPOSITORY not in homeless.page("one") + homeless.page("two")
    assert '<code class="docutils literal">toy/__init__.py</code>' in homeless.page("two")

    git(book, "init", "--quiet")
    git(book, "add", ".")
    feet = []
    for message in "first", "second":
        git(book, "commit", "--quiet", "--allow-empty", "-m", message)
        commit = git(book, "rev-parse", "HEAD")
        (book.folder / message).write_text("git does not track this file")
        build = sound(book.build(*options))
        assert build.executed == set()
        assert "0 added, 0 changed, 0 removed" in build.said
        assert foot(build, "two") == f"gdla {VERSION} (commit {commit[:7]})."
        for page in "one", "two":
            assert f'<a href="{REPOSITORY}/commit/{commit}">' in build.page(page)
        assert f'<a href="{REPOSITORY}/blob/{commit}/toy/__init__.py">' in build.page("two")
        feet.append(foot(build, "one").replace(commit[:7], "this"))
    assert feet[0] == feet[1], "what was not executed again is as old as before"

    (book.folder / ".gitignore").write_text("build\n# edited\n")
    edited = sound(book.build(*options))
    assert edited.executed == set()
    assert f"(commit {commit[:7]}, with local changes), torch" in foot(edited, "one")


def test_the_foot_and_the_table_say_when_cells_were_executed(new_book):
    book = new_book()
    book.write("one", CELL + REMOVED)
    book.write("other", CELL)
    text_page(book, "silent", "# silent\n\nNo cells.\n")
    text_page(book, "table", TABLE)
    options = ["-j", "8", "-D", "provenance_repository="]

    first = sound(book.build(*options))
    versions = rf"torch {re.escape(metadata.version('torch'))} and Python 3\.\d+\.\S+"
    assert re.fullmatch(
        rf"Computed by {BASE}, {versions}, on {DAY}, in \d+\.\d seconds\.", foot(first, "one")
    )
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00">', first.page("one"))
    for page in "silent", "table", "index":
        assert re.fullmatch(rf"{BASE}\.", foot(first, page))
    for page in "search", "genindex":
        assert not FOOT.search(first.page(page))

    head, *rows, sums = table(first)
    assert head == ["page", "cells", "executed", "seconds"]
    assert [row[:2] for row in rows] == [["one", "2"], ["other", "1"]], "a removed cell runs too"
    assert sums[1] == "3"
    assert float(sums[3]) == pytest.approx(sum(float(row[3]) for row in rows))
    for page, _, when, seconds in rows:
        assert re.fullmatch(DAY, when)
        assert f"on {when}, in {seconds} seconds." in foot(first, page)
    assert '<a href="one.html">one</a>' in first.page("table")

    # One page is executed anew, another gets a title; nobody touched the page of the table.
    book.write("other", CELL + CELL)
    page = book.folder / "book" / "one.md"
    page.write_text(page.read_text().replace("# one", "# One < two"))
    second = sound(book.build(*options))
    assert second.executed == {"other"}
    assert table(second)[1] == ["One < two", *rows[0][1:]]
    assert table(second)[2][:2] == ["other", "2"]

    # Long ago and far away: what the cache remembers is UTC wherever the site is built.
    (database,) = book.folder.glob("build/cells/*/global.db")
    with closing(sqlite3.connect(database)) as cache, cache:
        long_ago = "created = '2001-02-03 04:05:06.000000', data = '{\"execution_seconds\": 12.34}'"
        cache.execute(f"UPDATE nbcache SET {long_ago}")
    far = {"doctrees": "doctrees-again", "TZ": "NPT-5:45"}
    cached = sound(book.build(*options, **far))
    assert cached.executed == set()
    assert foot(cached, "one").endswith("on 3 February 2001, 04:05 UTC, in 12.3 seconds.")
    assert 'datetime="2001-02-03T04:05:06+00:00"' in cached.page("one")
    assert table(cached)[-1] == ["together", "4", "", "24.6"]

    when = (cached.html / "table.html").stat().st_mtime_ns
    unchanged = sound(book.build(*options, **far))
    assert (unchanged.html / "table.html").stat().st_mtime_ns == when, "written without need"

    alone = book.build(*options, doctrees="doctrees-page", GDLA_PAGES="one")
    assert "on 3 February 2001" in foot(alone, "one")
    assert re.fullmatch(
        rf"{BASE}\. The cells of this page were not executed in this build\.", foot(alone, "other")
    )
    assert [row[0] for row in table(alone)] == ["page", "One < two", "together"]


def test_what_is_not_true_is_not_claimed(new_book):
    book = new_book()
    book.write("failing", "```{code-cell} python3\n1 / 0\n```\n")
    text_page(book, "table", TABLE + "\n{source}`toy/nothing.py`\n")
    build = book.build()
    assert build.code == 1
    assert "table.md:6: WARNING: there is no file toy/nothing.py" in build.said
    assert re.fullmatch(
        rf"{BASE}\. The cells of this page failed in this build\.", foot(build, "failing")
    )
    assert [row[0] for row in table(build)] == ["page", "together"]


def test_jupyter_cache_still_forgets_that_its_times_are_utc(tmp_path):
    # When this fails, in_utc of extensions/provenance/foot.py can go.
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    cache = get_cache(tmp_path)
    cache.cache_notebook_bundle(CacheBundleIn(notebook, "page"), check_validity=False)
    assert cache.match_cache_notebook(notebook).created.tzinfo is None
    cache.db.dispose()
