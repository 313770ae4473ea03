"""Give the book a face that its own library drew: favicon, logo, a phone's icon, a social card.

Drawing takes some seconds, most of them for the twenty thousand steps of the descent on the card.
What was drawn is kept in a folder named by a digest of the library, of this code and of what they
run on, so that a build draws again what may have changed, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.util import logging

from extensions.cells.keys import digest

LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
# Around the page a phone shows the colour of the page (the backgrounds of
# sphinx-book-theme).
COLOURS = {"light": "#ffffff", "dark": "#121212"}
WORDS = ".card.json"  # beside the pictures; a name with a dot is not copied to the site


def look(app: Sphinx, config: Config) -> None:
    """Have everything drawn that is not, and tell Sphinx where it lies."""
    library = find_spec("gdla")
    if library is None or library.origin is None:
        raise ExtensionError("gdla is not installed, which draws the book's mark")
    code = Path(library.origin).parent
    files = [file for file in sorted(HERE.glob("*.py")) if file.name != "__init__.py"]
    key = digest(code, config.project, packages=("torch", "matplotlib"), files=files)
    folder = Path(config.identity_folder, key)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent.with_suffix(".lock")):
        if not folder.is_dir():
            draw(folder, config.project)
    config.html_favicon = str(folder / "favicon.svg")
    config.html_static_path.append(str(folder))
    config.identity_card = json.loads((folder / WORDS).read_text(encoding="utf-8"))


def draw(folder: Path, title: str) -> None:
    """Draw into a new folder, in a process of its own, and forget what lay beside it.

    Not here: drawing loads torch, and Sphinx is about to fork its readers, which must not be done
    to a process that has begun to compute in threads.
    """
    LOGGER.info("drawing favicon, logo and card: once, some seconds")
    for old in folder.parent.iterdir():
        shutil.rmtree(old, ignore_errors=True)
    made = folder.with_suffix(".unfinished")
    made.mkdir()
    paths = [str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    variables = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"{__name__}.drawn", str(made), title]
    ran = subprocess.run(command, env=os.environ | variables, capture_output=True, encoding="utf-8")
    if ran.returncode:
        raise ExtensionError(f"the book's mark could not be drawn:\n{ran.stderr}")
    made.rename(folder)


def add_tags(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Name the icon and the colours in the head of a page."""
    icon = context["pathto"]("_static/apple-touch-icon.png", resource=True)
    tags = [f'<link rel="apple-touch-icon" href="{icon}">']
    for theme, colour in COLOURS.items():
        media = f'media="(prefers-color-scheme: {theme})"'
        tags.append(f'<meta name="theme-color" {media} content="{colour}">')
    # The index of names has no tags yet.
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags, ""])


def setup(app: Sphinx) -> dict[str, Any]:
    """Look before Sphinx asks whether the favicon is there, which it does at priority 800."""
    app.add_config_value("identity_folder", "", "", str)
    app.add_config_value("identity_card", {}, "html", dict)
    app.connect("config-inited", look)
    app.connect("html-page-context", add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
