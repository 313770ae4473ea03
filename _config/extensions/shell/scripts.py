"""Let a page load the scripts that it uses, none twice, and none before it is read.

The theme and Sphinx give every page all scripts: those of the search (90 kB), of menus that we do
not have, and lines that stand in the page itself, which the policy forbids.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

# The search page names those that it needs by itself.
SEARCH = {"documentation_options.js", "doctools.js", "sphinx_highlight.js"}
THEME = {"scripts/sphinx-book-theme.js"}
COPY = {"clipboard.min.js", "copybutton.js", "programs.js"}
# pydata-sphinx-theme 0.20 writes these into each page; nothing of ours reads them.
SAID = "DOCUMENTATION_OPTIONS.pagename", "DOCUMENTATION_OPTIONS.search_as_you_type"


def chosen(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Choose among the scripts of a page, and defer those that stay."""
    code = "<pre" in context.get("body", "")
    # What copies reads the options of Sphinx.
    left = THEME | (SEARCH - {"documentation_options.js"} if code else SEARCH | COPY)
    kept = []
    for script in context["script_files"]:
        path = str(script.filename or "").removeprefix("_static/")
        if not path:
            if not script.attributes.get("body", "").startswith(SAID):
                LOGGER.warning("%s: a script in the page itself is forbidden", name, type="shell")
            continue
        if path in left:
            continue
        if script.attributes.get("type") != "module" and "async" not in script.attributes:
            script.attributes["defer"] = "defer"
        kept.append(script)
    context["script_files"] = kept


def setup(app: Sphinx) -> dict[str, Any]:
    """Choose when every other extension has added its scripts."""
    app.add_js_file("shell.js", loading_method="defer")
    app.connect("html-page-context", chosen, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
