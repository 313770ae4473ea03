"""Build the site whole: one build at a time, and none that stands on a broken one."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Open every room that Sphinx needs to know."""
    for room in "again", "alone", "together":
        app.setup_extension(f"{__name__}.{room}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
