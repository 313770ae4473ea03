"""Render mathematics when the book is built: MathML in the page, no script, no network.

math-core turns TeX into MathML Core, which browsers draw and screen readers speak. What it does
not understand stops the build, with the page and the formula.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import Any

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)
# Sphinx numbers a block as a whole; a starred environment adds no second number.
NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather|multline)\}")
# math-core has no `split`; inside an equation `aligned` is the same.
SPLIT = re.compile(r"\\(begin|end)\{split\}")
# math-core 0.9 lays formulas out by style attributes, which the policy of the pages forbids
# (extensions/shell/policy.py): these classes of book.css do the same.
STYLES = {
    "text-align: left": "to-left",
    "text-align: right": "to-right",
    "justify-items: start": "",  # to-left, to-right
    "justify-items: end": "",
    "padding-left: 0": "flush-left",
    "padding-right: 0": "flush-right",
    "padding-left:1em": "after-gap",
    "width: 100%": "whole",
    "width: 50%": "half",
    "border-left: 0.05em solid currentcolor": "line-left",
    "border-right: 0.05em solid currentcolor": "line-right",
    "margin-left:-0.16666667em": "step-back",
}
STYLE = re.compile(r'\bstyle="([^"]*)"')
# Rows without an environment, as Sphinx allows in a display.
ROWS = re.compile(r"\\\\")


@cache
def converter(macros: tuple[tuple[str, str], ...]) -> LatexToMathML:
    """Return the converter that knows these macros, made once in each process."""
    return LatexToMathML(macros=dict(macros), fancy_error=False)


def mathml(tex: str, macros: dict[str, str], *, display: bool) -> str:
    """Convert one formula.

    Raises:
        LatexError: if the formula is none, or uses what math-core does not know.
        ValueError: if it is laid out by a style that has no class.
    """
    if ROWS.search(tex) and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    tex = NUMBERED.sub(r"\\\1{\2*}", SPLIT.sub(r"\\\1{aligned}", tex))
    done = converter(tuple(macros.items())).convert_with_local_state(tex, displaystyle=display)
    return STYLE.sub(_class, done)


def _class(match: re.Match[str]) -> str:
    said = [part.strip() for part in match[1].split(";") if part.strip()]
    if strange := [part for part in said if part not in STYLES]:
        raise ValueError(f"book.css needs a class, and STYLES its name, for {strange}")
    return f'class="{" ".join(name for part in said if (name := STYLES[part]))}"'


def render(translator: HTML5Translator, node: nodes.Element, *, display: bool) -> str:
    """Convert the formula of a node; warn of one that is wrong and show its source."""
    tex = node.astext()
    try:
        return mathml(tex, translator.config.mathematics_macros, display=display)
    except (LatexError, ValueError) as error:
        page = translator.builder.current_docname
        LOGGER.warning("%s: formula %r: %s", page, tex, error, location=node, type="mathematics")
        return f"<code>{escape(tex)}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula inside a line."""
    translator.body.append(render(translator, node, display=False))
    raise nodes.SkipNode


def visit_block(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula and its number, in a box of their own."""
    # Not the class `math`: the theme reverses its rows.
    translator.body.append(translator.starttag(node, "div", CLASS="formula"))
    translator.body.append(f"<div>{render(translator, node, display=True)}</div>")
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer that conf.py names in html_math_renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    app.add_config_value("mathematics_macros", {}, "env", dict)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
