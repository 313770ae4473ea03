"""Tell search engines where the pages are: sitemap.xml, and robots.txt that names it.

Both want to know where the site will stand, html_baseurl; where nobody knows, neither is written.
The list is made from what Sphinx has found, not from what it has just written: sphinx-sitemap 2.9
collects pages while they are written, so that the list of a build of one page has one page, and
that of several writers another order each time.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


def address(app: Sphinx, page: str) -> str:
    """Say where a page will stand; the first page is what one finds at the site's own address."""
    name = "" if page == app.config.root_doc else app.builder.get_target_uri(page)
    return app.config.html_baseurl + name


def add_address(app: Sphinx, page: str, template: str, context: dict[str, Any], _: Any) -> None:
    """Give a page the same address in its canonical link."""
    context["pageurl"] = address(app, page) if app.config.html_baseurl else None


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write both files, or remove those of a build that knew an address."""
    if exception is not None or app.builder.format != "html":
        return
    sitemap, robots = Path(app.outdir, "sitemap.xml"), Path(app.outdir, "robots.txt")
    if not app.config.html_baseurl:
        sitemap.unlink(missing_ok=True)
        robots.unlink(missing_ok=True)
        return
    places = [escape(address(app, page)) for page in sorted(app.env.found_docs)]
    lines = "".join(f"<url><loc>{place}</loc></url>\n" for place in places)
    text = f'{HEAD}<urlset xmlns="{SCHEMA}">\n{lines}</urlset>\n'
    sitemap.write_text(text, encoding="utf-8", newline="\n")
    text = f"User-agent: *\nAllow: /\nSitemap: {app.config.html_baseurl}sitemap.xml\n"
    robots.write_text(text, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Set the address before others read it."""
    app.connect("html-page-context", add_address, priority=300)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
