"""Mend what dependencies write into pages though HTML or ARIA do not allow it.

Each names the version that needs it; tests/site/test_shell.py fails when it is needed no more.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

MENDS = {
    # myst-nb 1.4 gives the summary of a fold a name that is not what it shows: who speaks to the
    # page could not open it.
    re.compile(r'<summary aria-label="Toggle hidden content">'): "<summary>",
    # And paragraphs, where only words may stand.
    re.compile(r'<p class="((?:collapsed|expanded) admonition-title)">(.*?)</p>'): (
        r'<span class="\1">\2</span>'
    ),
    # docutils 0.22: a role that ARIA 1.3 has given up, in a list, which wants items.
    re.compile(r'role="doc-biblioentry"'): 'role="listitem"',
    # docutils 0.22: a heading of a table's column that says nothing is no heading.
    re.compile(r"<th([^>]*)>(?:<p></p>)?</th>"): r"<td\1></td>",
}


def mended(html: str) -> str:
    """Mend a piece of HTML."""
    for wrong, right in MENDS.items():
        html = wrong.sub(right, html)
    return html


def mend(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Mend the text of a page."""
    if "body" in context:
        context["body"] = mended(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to each page."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
