"""Open a cache of jupyter-cache that a build may have left half written.

jupyter-cache (1.0.1) makes the tables of its database one by one, and records a notebook before it
writes it. Killed in between, it fails each time that it is asked for that page.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.cache.db import NbCacheRecord, OrmBase
from sqlalchemy.exc import DatabaseError


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
