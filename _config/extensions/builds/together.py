"""Write the pages of a book together, or none of them, and keep no others.

A page shows titles, numbers and places of other pages, and it is drawn by the code beside this
file. Sphinx (9.0) writes a page again when its own text changed: the menus of the others keep an
old title, a reference to a heading that is gone is still taken for good, and a page whose source
was removed stays on the site. Writing all of them costs a few seconds and executes no cell.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from extensions.cells.keys import digest


def watch_code(app: Sphinx, config: Config) -> None:
    """Make the site's code and all that is installed a setting, so that a change is noticed."""
    installed = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
    config.together_code = digest(
        Path(__file__).parents[1], *sorted(path.name for path in installed)
    )


class Together:
    """What one build knows of its pages."""

    def __init__(self) -> None:
        self.changed = False
        self.written: set[str] = set()

    def look(self, app: Sphinx, env: BuildEnvironment, *pages: set[str]) -> list[str]:
        """Note whether a page was added, changed or removed."""
        self.changed = any(pages)
        return []

    def read(self, app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        """Note whether a page is read for another reason."""
        self.changed |= bool(pages)

    def write_all(self, app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
        """Have every page written if one of them changed."""
        return env.found_docs if self.changed else []

    def note(self, app: Sphinx, page: str, *context: Any) -> None:
        """Note a page that has no source, such as the search."""
        self.written.add(page)

    def tidy(self, app: Sphinx, exception: Exception | None) -> None:
        """Remove the pages of the past."""
        if exception is not None or app.builder.name != "html":
            return
        for file in app.outdir.rglob("*.html"):
            page = file.relative_to(app.outdir).with_suffix("").as_posix()
            if page not in app.env.found_docs | self.written and not page.startswith("_"):
                file.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Begin a new list with every build."""
    app.add_config_value("together_code", "", "env", str)
    app.connect("config-inited", watch_code)
    together = Together()
    app.connect("env-get-outdated", together.look)
    app.connect("env-before-read-docs", together.read)
    app.connect("env-get-updated", together.write_all)
    app.connect("html-page-context", together.note)
    app.connect("build-finished", together.tidy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
