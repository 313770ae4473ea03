"""Hand each chapter out whole, as a script and as a notebook."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Open every room that Sphinx needs to know."""
    app.setup_extension(f"{__name__}.pages")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
