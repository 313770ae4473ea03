"""Key the cache of executed cells by everything that the cells run against.

jupyter-cache knows a notebook by the source of its cells alone, and Sphinx does not read a page
again that did not change, so after an edit of the library both would show the old outputs. Here
the cache lies in a folder named by a digest of interpreter, library, packages, kernel settings and
the files that cells read. Its path is a setting that Sphinx watches: when the digest changes, every
page is read and executed again; while it stays, nothing is.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config

from extensions import kernels

PACKAGES = ("torch", "numpy", "matplotlib", "ipykernel", "myst-nb")


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
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            add(file.relative_to(package).as_posix(), file.read_bytes())
    for file in map(Path, files):
        add(file.name, file.read_bytes())
    return key.hexdigest()


def choose_cache(app: Sphinx, config: Config) -> None:
    """Point myst-nb to the cache of this digest and remove those of others."""
    package = Path(config.cells_package)
    if not package.is_dir():
        raise FileNotFoundError(f"cells_package names no folder: {package}")
    key = digest(package, *kernels.settings(config), files=config.cells_files)
    cache = Path(config.cells_folder, key)
    for other in cache.parent.glob("*"):
        if other != cache:
            shutil.rmtree(other, ignore_errors=True)
    # Sphinx is about to fork its readers. If they found no database, two would make it at once
    # and one would fail (jupyter-cache 1.0.1).
    cache.mkdir(parents=True, exist_ok=True)
    _ = get_cache(str(cache)).db
    config.nb_execution_cache_path = str(cache)


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
    return {"parallel_read_safe": True, "parallel_write_safe": True}
