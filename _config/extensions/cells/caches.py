"""Open a cache of jupyter-cache that a build may have left half written, or that others use.

jupyter-cache (1.0.1) makes the tables of its database one by one, and records a notebook before it
writes it. Killed in between, it fails each time that it is asked for that page. And where two pages
with the same cells are executed side by side, it records both, and the second fails.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import NbCacheRecord, OrmBase
from jupyter_cache.cache.main import JupyterCacheBase
from nbformat import NotebookNode
from sqlalchemy.exc import DatabaseError


class SharedCache(JupyterCacheBase):
    """A cache for several processes: of pages with the same cells it keeps the first."""

    def _lock(self) -> FileLock:
        return FileLock(self.path / "writing.lock")

    def match_cache_notebook(self, nb: NotebookNode) -> NbCacheRecord:
        """Find a notebook that is written to its end; KeyError if there is none."""
        with self._lock():
            return super().match_cache_notebook(nb)

    def cache_notebook_bundle(self, bundle: CacheBundleIn, *args: Any, **options: Any) -> Any:
        """Keep an executed notebook, unless one with the same cells is there."""
        with self._lock():
            try:
                return super().match_cache_notebook(bundle.nb)
            except KeyError:
                return super().cache_notebook_bundle(bundle, *args, **options)


def mend(folder: Path) -> None:
    """Make a cache, or remove from it what cannot be read."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _mend(folder)
    except DatabaseError:
        shutil.rmtree(folder / "executed", ignore_errors=True)
        for file in folder.glob("global.db*"):
            file.unlink()
        _mend(folder)


def _mend(folder: Path) -> None:
    cache = get_cache(str(folder))
    try:
        OrmBase.metadata.create_all(cache.db)
        for record in cache.list_cache_records():
            try:
                cache.get_cache_bundle(record.pk)
            except (KeyError, ValueError):
                shutil.rmtree(folder / "executed" / record.hashkey, ignore_errors=True)
                NbCacheRecord.remove_record(record.pk, cache.db)
    finally:
        cache.db.dispose()  # Windows removes no file that is open
