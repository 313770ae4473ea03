"""The frame around each page: what it may load, what it does load, and how it looks."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Open every room that Sphinx needs to know."""
    for room in "policy", "scripts", "styles", "mends", "plain":
        app.setup_extension(f"{__name__}.{room}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
