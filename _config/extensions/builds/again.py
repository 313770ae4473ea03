"""Let no build stand on one that warned, broke off, was killed, or was of some pages only.

Sphinx reads a page once and remembers it, warnings or not: with `-W` the first build fails, and the
second, which reads nothing again, passes with the same faults. It remembers before it writes: of a
build that was killed it believes that the old or half-written pages are new. And it remembers when
it had read a page, not when it began to: what was changed while the cells ran is never read (all
Sphinx 9.0). So a build marks its folders until all is well there, and the next build trusts
nothing in a folder with a mark. Executed cells have their own cache: to read all pages again costs
seconds.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from myst_nb.sphinx_ext import OUTPUT_FOLDER
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

MARK = ".unfinished"
HASH = re.compile("[0-9a-f]{64}")


def pictures(app: Sphinx) -> Iterator[Path]:
    """Find what the cells drew: files that are named by the hash of their content."""
    for file in (app.outdir.parent / OUTPUT_FOLDER).glob("*"):
        if HASH.fullmatch(file.stem):
            yield file


def begin(app: Sphinx, config: Config) -> None:
    """Forget what is marked, and mark what is about to change."""
    memory, site = app.doctreedir / MARK, app.outdir / MARK
    if memory.exists():
        (app.doctreedir / ENV_PICKLE_FILENAME).unlink(missing_ok=True)
    if site.exists():
        for page in app.outdir.rglob("*.html"):
            os.utime(page, (0, 0))  # older than its source, so it is written again
    # myst-nb (1.4.0) never writes over a picture, not even over the half of one.
    for picture in pictures(app):
        if hashlib.sha256(picture.read_bytes()).hexdigest() != picture.stem:
            picture.unlink()
    app.doctreedir.mkdir(parents=True, exist_ok=True)
    memory.touch()
    site.touch()


def date(app: Sphinx, env: BuildEnvironment) -> None:
    """Say that the pages were read when the build began."""
    start = (app.doctreedir / MARK).stat().st_mtime_ns // 1000
    for page, read in env.all_docs.items():
        env.all_docs[page] = min(read, start)
    # What the cells drew since then is no reason to read their page again: it never changes.
    for picture in pictures(app):
        os.utime(picture, (0, 0))


def end(app: Sphinx, exception: Exception | None) -> None:
    """Take away the marks of what is well."""
    if exception is not None:
        return
    if not app._warncount:
        (app.doctreedir / MARK).unlink()
    # Alone, a page lacks what the cells of others label, and others may lack their outputs.
    if not app.config.cells_pages:
        (app.outdir / MARK).unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Begin first, end last, when every other extension has had its say."""
    app.connect("config-inited", begin, priority=2)  # when extensions.builds.alone let us in
    app.connect("env-updated", date)
    app.connect("build-finished", end, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
