"""Say in the book's own frame that a page is not there: 404.html.

A server gives that file for every address that leads nowhere, at any depth, so what it links to
must be addressed from the root of the site: with all its menus, scripts and styles. That is done
when the page is written, since not everything that writes into it can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from sphinx.application import Sphinx

PAGE = "404"
ADDRESS = re.compile(r"""(?<=\s)(href|src|action|data-content_root)=(["'])(.*?)\2""")


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Ask Sphinx to write the page."""
    yield PAGE, {"title": "Nothing is here"}, f"{PAGE}.html"


def fill(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """List what is there, and keep the page from those who look for pages."""
    if page != PAGE:
        return
    found = app.env.toctree_includes.get(app.config.root_doc, [])
    context["chapters"] = [(name, app.env.titles[name].astext()) for name in found]
    context["pageurl"] = None  # it has no address of its own
    robots = '<meta name="robots" content="noindex">'
    context["metatags"] = "\n".join([context.get("metatags", ""), robots])


def rooted(text: str, root: str) -> str:
    """Address everything that a page names from the root of its site, a path such as /gdla/."""

    def address(match: re.Match[str]) -> str:
        name, quote, to = match.groups()
        return f"{name}={quote}{to if to.startswith('#') else urljoin(root, to)}{quote}"

    return ADDRESS.sub(address, text)


def settle(app: Sphinx, exception: Exception | None) -> None:
    """Do so with the page, once it is written; without an address its site lies at /."""
    file = Path(app.outdir, f"{PAGE}.html")
    if exception is None and file.exists():
        root = urlsplit(app.config.html_baseurl).path or "/"
        text = rooted(file.read_text(encoding="utf-8"), root)
        file.write_text(text, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the collection of pages without a source."""
    app.connect("html-collect-pages", collect)
    app.connect("html-page-context", fill)
    app.connect("build-finished", settle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
