"""Let docstrings speak of shapes: `(*, m, n)` begins no emphasis.

The library's docstrings are read in a terminal more often than on the site. An asterisk in them
is an asterisk, unless it encloses a word or a few.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# Code in backticks and *words* stay what they are, and what napoleon escaped already.
KEPT = re.compile(r"(``[^`]*``|`[^`]*`|\\\*|(?<![\w*])\*\w(?:[^*]*\w)?\*(?![\w*])|\*\*)")


def escaped(line: str) -> str:
    """Escape the asterisks of a line that enclose nothing."""
    if line.lstrip().startswith((">>>", "...")):
        return line
    parts = KEPT.split(line)
    return "".join(
        part if kept else part.replace("*", r"\*")
        for kept, part in zip([False, True] * len(parts), parts, strict=False)
    )


def process(
    app: Sphinx, what: str, name: str, found: object, options: object, lines: list[str]
) -> None:
    """Escape a whole docstring, in place."""
    lines[:] = [escaped(line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Work on what napoleon left, which comes at priority 500."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", process, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
