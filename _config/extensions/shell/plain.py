"""Leave words of code that look like plain text without an element of their own.

Pygments wraps every token, names and brackets included. A chapter has six thousand of them, more
than half of all its elements, and three in five have the colour that text in code has anyway.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, cast

from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Token
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

CODE = re.compile(r"(?<=<pre>).*?(?=</pre>)", re.S)


@cache
def plain(*styles: str) -> re.Pattern[str]:
    """Match the tokens that each of these styles draws as it draws text."""
    looks = [get_style_by_name(style).style_for_token for style in styles]
    names = (
        name
        for kind, name in STANDARD_TYPES.items()
        if name and all(look(kind) == look(Token.Text) for look in looks)
    )
    return re.compile(rf'<span class="(?:{"|".join(names)})">([^<]*)</span>')


def unwrapped(html: str, *styles: str) -> str:
    """Unwrap such tokens in every block of code.

    Args:
        html: a piece of a page.
        styles: of Pygments, those that the page can be seen in.
    """
    token = plain(*styles)
    return CODE.sub(lambda code: token.sub(r"\1", code[0]), html)


def unwrap(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Unwrap them in a page."""
    if "body" in context:
        builder = cast(StandaloneHTMLBuilder, app.builder)  # no other has pages with a context
        options = builder.theme.get_options(app.config.html_theme_options)
        styles = (options[f"pygments_{scheme}_style"] for scheme in ("light", "dark"))
        context["body"] = unwrapped(context["body"], *styles)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to each page."""
    app.connect("html-page-context", unwrap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
