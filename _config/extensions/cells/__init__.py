"""Execute the cells: what their outputs depend on, where they run, what they may not do."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Open every room that Sphinx needs to know."""
    for room in "keys", "kernels", "outputs":
        app.setup_extension(f"{__name__}.{room}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
