"""Let no build stand on one that warned.

Sphinx reads a page once and remembers it, warnings or not. With `-W` the first build fails, and
the second, which reads nothing again, says nothing and passes with the same faults (Sphinx 9.0).
So the memory of a build that warned or broke off is removed. Executed cells stay in their own
cache: reading all pages again costs seconds.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import ENV_PICKLE_FILENAME, Sphinx


def forget(app: Sphinx, exception: Exception | None) -> None:
    """Remove what Sphinx remembers, unless all was well."""
    if exception is not None or app._warncount:
        (app.doctreedir / ENV_PICKLE_FILENAME).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Forget last, when every other extension has had its say."""
    app.connect("build-finished", forget, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
