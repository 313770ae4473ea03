"""Key the cache of executed cells by everything that the cells run against.

jupyter-cache knows a notebook by the source of its cells alone, and Sphinx does not read a page
again that did not change, so after an edit of the library both would show the old outputs. Here
the cache lies in a folder named by a digest of interpreter, library, packages, kernel settings and
the files that cells read. Its path is a setting that Sphinx watches: when the digest changes, every
page is read and executed again; while it stays, nothing is. Outputs are not kept if something
changed while their cells ran: nobody knows what they are of.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

from extensions.cells import caches, kernels

LOGGER = logging.getLogger(__name__)

PACKAGES = ("torch", "numpy", "matplotlib", "scikit-learn", "ipykernel", "myst-nb")
RUNNING = "running"  # lies in a cache while a build uses it


def sources(package: Path) -> Iterator[Path]:
    """Find the files of a library."""
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


def digest(
    package: Path,
    *settings: str,
    packages: Iterable[str] = PACKAGES,
    files: Iterable[str | Path] = (),
) -> str:
    """Return a name that changes with whatever may change an output.

    Args:
        package: folder of the library whose source the cells import.
        *settings: texts that decide how a kernel behaves.
        packages: distributions whose installed versions count.
        files: what the cells read, beside the library.
    """
    key = hashlib.blake2b(digest_size=8)

    def add(*parts: str | bytes) -> None:
        # Lengths keep neighbours apart: ("ab", "c") is not ("a", "bc").
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            key.update(len(data).to_bytes(8, "little") + data)

    add(sys.version, sys.prefix, *settings)
    for name in packages:
        add(name, metadata.version(name))
    for file in sources(package):
        add(file.relative_to(package).as_posix(), file.read_bytes())
    for file in map(Path, files):
        add(file.name, file.read_bytes())
    return key.hexdigest()


def current(config: Config) -> Path:
    """Return the cache of what is installed and written now."""
    package = Path(config.cells_package)
    if not package.is_dir():
        raise FileNotFoundError(f"cells_package names no folder: {package}")
    key = digest(package, *kernels.settings(config), files=config.cells_files)
    return Path(config.cells_folder, key)


def mixed(config: Config, cache: Path) -> bool:
    """Tell whether something was changed, perhaps there and back, since a build took this cache."""
    files = [*sources(Path(config.cells_package)), *map(Path, config.cells_files)]
    changed = max((file.stat().st_mtime_ns for file in files), default=0)
    return changed > (cache / RUNNING).stat().st_mtime_ns or current(config) != cache


def choose_cache(app: Sphinx, config: Config) -> None:
    """Point myst-nb to the cache of this digest and remove those of others."""
    cache = current(config)
    for other in cache.parent.glob("*"):
        # The second: something changed during the last build that used this cache.
        if other != cache or ((cache / RUNNING).exists() and mixed(config, cache)):
            shutil.rmtree(other, ignore_errors=True)
    # Sphinx is about to fork its readers. If they found no database, two would make it at once
    # and one would fail (jupyter-cache 1.0.1).
    caches.mend(cache)
    (cache / RUNNING).touch()
    config.nb_execution_cache_path = str(cache)


def check_cache(app: Sphinx, exception: Exception | None) -> None:
    """Keep the outputs if they are of what the name of their cache says."""
    running = Path(app.config.nb_execution_cache_path, RUNNING)
    if not mixed(app.config, running.parent):
        running.unlink()
        return
    os.utime(running, (0, 0))  # so that the next build removes them
    changed = f"{app.config.cells_package} changed, or something else that cells run against"
    LOGGER.warning("%s, while they ran; build again: all will be executed", changed, type="cells")


def choose_pages(app: Sphinx, config: Config) -> None:
    """Execute only the pages that cells_pages names; leave the others without outputs."""
    if not config.cells_pages:
        return
    pages = {
        file.relative_to(app.srcdir).with_suffix("").as_posix(): file.as_posix()
        for file in Path(app.srcdir).rglob("*.md")
    }
    if unknown := set(config.cells_pages) - set(pages):
        raise ValueError(f"there is no page {', '.join(sorted(unknown))} to execute")
    config.nb_execution_excludepatterns = [
        file for name, file in sorted(pages.items()) if name not in config.cells_pages
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Choose before Sphinx compares the settings with those of the last build."""
    app.add_config_value("cells_package", "", "", str)
    app.add_config_value("cells_files", [], "", list)
    app.add_config_value("cells_folder", "", "", str)
    app.add_config_value("cells_pages", [], "env", list)
    app.connect("config-inited", choose_cache)
    app.connect("config-inited", choose_pages)
    app.connect("build-finished", check_cache)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
