"""Say what a page is about to those who list it or share it: its first paragraph, and the card.

sphinxext-opengraph writes the tags. It takes any text for a description, formulas and headings
too; here it is the first paragraph that has no formula and stands in no box. Networks fetch card
and page from elsewhere and need whole addresses: where the site's is not known, these tags are
left out.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

LENGTH = 200
BOXES = (nodes.Admonition, nodes.table, nodes.figure, nodes.list_item, nodes.raw)
# Pages to which their templates give a title, too late for us.
UNTITLED = {"search": "Search", "genindex": "Index", "py-modindex": "Index of modules"}
NO_ADDRESS = re.compile(r'<meta property="og:url"[^>]*>\n?')


def described(doctree: nodes.document) -> str:
    """Return the first paragraph, or as many of its words as a description may have."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if text and not paragraph.next_node(nodes.math) and not _boxed(paragraph):
            return shortened(text)
    return ""


def shortened(text: str) -> str:
    """End a text that is too long after a sentence, or else after a word."""
    if len(text) <= LENGTH:
        return text
    sentences = re.match(rf"(.{{60,{LENGTH - 1}}}[.!?])(?=\s)", text)
    return sentences[1] if sentences else text[:LENGTH].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def settle(app: Sphinx, config: Config) -> None:
    """Tell sphinxext-opengraph where the card lies, once it is drawn."""
    config.ogp_social_cards = {"enable": False}  # its own
    if base := config.html_baseurl:
        card = config.identity_card
        config.ogp_site_url = base
        config.ogp_image = f"{base}_static/card.png"
        config.ogp_image_alt = card["alt"]
        config.ogp_custom_meta_tags = [
            f'<meta property="og:image:width" content="{card["width"]}" />',
            f'<meta property="og:image:height" content="{card["height"]}" />',
            '<meta name="twitter:card" content="summary_large_image" />',
        ]


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Describe a page; one without a source by its title."""
    plain = re.sub(r"<[^>]*>", "", context.get("title") or UNTITLED.get(page, page))
    text = (described(doctree) if doctree else "") or f"{plain}: {app.config.project}"
    tags = [context.get("metatags", ""), f'<meta name="description" content="{escape(text)}">']
    context["metatags"] = "\n".join(tags) + "\n"
    if doctree:
        said = {"og:description": escape(text)}
        if context["pageurl"]:
            said["og:url"] = context["pageurl"]
        context["meta"] = said | (context["meta"] or {})


def check(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Take away an address that is none (sphinxext-opengraph 0.13 writes half of one)."""
    if not app.config.html_baseurl:
        context["metatags"] = NO_ADDRESS.sub("", context["metatags"])


def _boxed(node: nodes.Node) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, BOXES):
            return True
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    """Speak before sphinxext-opengraph and after it."""
    app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", settle, priority=600)
    app.connect("html-page-context", describe, priority=400)
    app.connect("html-page-context", check, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
