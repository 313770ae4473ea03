"""Write the prose of a page, its references resolved, as plain Markdown.

An admonition becomes a block quote with a bold title, a definition a point of a list, a cross
reference a link to the published page, or its text. What this file cannot write stops the build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import admonitionlabels
from sphinx.util import logging

from extensions.notebooks import markdown

LOGGER = logging.getLogger(__name__)
SILENT = (nodes.target, nodes.comment, nodes.substitution_definition, addnodes.index)
CAPTIONS = (nodes.caption, nodes.title)
LANGUAGES = {"ipython3": "python", "default": "python", "none": "", "text": ""}


@dataclass(frozen=True)
class Writer:
    """What writes a page.

    Attributes:
        page: its name, for complaints.
        macros: what its formulas use beside LaTeX.
        address: reference -> where it leads, or nothing where its text shall do.
        numbered: figure, listing or formula -> its name and number, or nothing if it has none.
    """

    page: str
    macros: Mapping[str, str]
    address: Callable[[nodes.reference], str]
    numbered: Callable[[nodes.Element, str], str]

    def blocks(self, nodes: list[nodes.Node]) -> list[str]:
        """Write paragraphs and what stands among them."""
        return [text for node in nodes for text in self.block(node)]

    def block(self, node: nodes.Node) -> list[str]:
        """Write what stands between blank lines."""
        match node:
            case nodes.paragraph():
                return [markdown.wrapped(self.inline(node))]
            case nodes.math_block():
                number = self.numbered(node, "displaymath") if node["number"] else ""
                return [markdown.displayed(node.astext(), self.macros, number)]
            case nodes.literal_block() | nodes.doctest_block():
                language = node.get("language", "python")
                return [markdown.fenced(node.astext(), LANGUAGES.get(language, language))]
            case nodes.container(children=[nodes.caption(), nodes.literal_block()]):
                return [*self.caption(node, "code-block"), *self.block(node[1])]
            case nodes.bullet_list():
                return [markdown.listed(self.blocks(item.children) for item in node)]
            case nodes.enumerated_list():
                points = (self.blocks(item.children) for item in node)
                return [markdown.listed(points, first=node.get("start", 1))]
            case nodes.definition_list():
                return [markdown.listed(map(self.definition, node))]
            case nodes.block_quote():
                return [markdown.quoted(self.blocks(node.children))]
            case nodes.Admonition(children=[nodes.title() as title, *rest]):
                return [markdown.quoted([f"**{self.line(title)}**", *self.blocks(rest)])]
            case nodes.Admonition(tagname=name):
                title = f"**{admonitionlabels[name]}**"
                return [markdown.quoted([title, *self.blocks(node.children)])]
            case nodes.table():
                rows = ([self.cell(entry) for entry in row] for row in node.findall(nodes.row))
                return [*self.caption(node, "table"), markdown.tabled(rows)]
            case nodes.figure():
                return [*self.blocks(node[:1]), *self.caption(node, "figure")]
            case nodes.image(attributes={"alt": alt}):
                return [markdown.wrapped(f"*Picture: {markdown.escaped(alt)}*")]
            case nodes.rubric():
                return [f"**{self.line(node)}**"]
            case nodes.compound() | nodes.container() | addnodes.glossary():
                return self.blocks(node.children)
        return [text for text in [self.span(node)] if text]

    def definition(self, item: nodes.definition_list_item) -> list[str]:
        """Write a term and what it means."""
        *terms, meaning = item
        names = ", ".join(f"**{self.line(term)}**" for term in terms)
        first, *rest = meaning
        return [markdown.wrapped(f"{names}: {self.inline(first)}"), *self.blocks(rest)]

    def caption(self, node: nodes.Element, kind: str) -> list[str]:
        """Write the caption of a figure, a listing or a table, with its number."""
        name = f"**{number}.** " if (number := self.numbered(node, kind)) else ""
        words = [self.inline(child) for child in node if isinstance(child, CAPTIONS)]
        return [markdown.wrapped(name + text) for text in words]

    def cell(self, entry: nodes.entry) -> str:
        """Write an entry of a table."""
        return " ".join(self.blocks(entry.children))

    def line(self, node: nodes.Element) -> str:
        """Write what a node contains on one line."""
        return " ".join(self.inline(node).replace(markdown.SPACE, " ").split())

    def inline(self, node: nodes.Element) -> str:
        """Write what a node contains, to be wrapped into lines."""
        return "".join(map(self.span, node.children))

    def span(self, node: nodes.Node) -> str:
        """Write what stands in a line."""
        match node:
            case nodes.Text():
                return markdown.escaped(node.astext())
            case nodes.math():
                return markdown.formula(node.astext(), self.macros)
            case nodes.literal():
                return markdown.code(node.astext())
            case nodes.emphasis():
                return f"*{self.inline(node)}*"
            case nodes.strong():
                return f"**{self.inline(node)}**"
            case nodes.reference():
                return markdown.linked(self.inline(node), self.address(node))
            case nodes.inline() | nodes.abbreviation() | nodes.title_reference():
                return self.inline(node)
            case _ if isinstance(node, SILENT):
                return ""
        LOGGER.warning(
            "%s: no Markdown is known for <%s>; extensions/notebooks/prose.py should write it",
            *(self.page, type(node).__name__),
            location=node,
            type="notebooks",
        )
        return markdown.escaped(node.astext())
