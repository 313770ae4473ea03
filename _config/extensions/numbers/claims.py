"""Refuse claims in the prose that nothing holds: typed numbers, and comparisons without a test.

A number in running text is the value of a variable, {value}`...`; or it was chosen, and is
mathematics, code or {given}`...`; or somebody else found it, and is {reported}`...` beside a
citation. A sentence that compares what was measured stands in a section whose cells assert.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from extensions.numbers.blocks import ancestors, section, sentences, texts

LOGGER = logging.getLogger(__name__)

WORD = (
    "(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|"
    "sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|"
    "dozen|hundred|thousand|million|billion)"
)
COUNT = rf"(?:\d+(?:[.,]\d+)*|{WORD}(?:[ -](?:and\ )?{WORD})*)"
UNIT = "(?:steps?|iterations?|digits?|milliseconds?|seconds?|minutes?|hours?|orders)"
MEASURED = re.compile(
    rf"""(?<![\w.])(?:
        {COUNT}\s?(?:%|per\s?cent\b)                          # 18 %
      | \d+(?:\.\d+)?e[-+]?\d+ | 10\^[-+]?\d+               # 1e-7
      | {COUNT}(?:[ -]\w+)?[ -]{UNIT}\b | {COUNT}\ times\b    # twenty thousand steps
      | (?:\d+-?|{WORD}-?)fold\b
      | {COUNT}\ (?:out\ )?of\ (?:the\ )?(?:{COUNT}|them)\b   # two of five
      | (?:an?|one)\ (?:third|quarter|fifth)\ of\b
      | (?:an?|one|{COUNT})[ -](?:ten|hundred|thousand|million|billion)th(?:s|\b)
      | {COUNT}\ (?:thirds|quarters|fifths)\b
      | \d+\.\d+ | \d{{1,3}}(?:,\d{{3}})+
    )""",
    re.VERBOSE | re.IGNORECASE,
)
# A version or a place in another book defines; it was not measured.
DEFINED = re.compile(r"(?:Python|NumPy|torch|version|chapter|section|Figure) $", re.IGNORECASE)

MORE = (
    "more|less|larger|smaller|greater|bigger|better|worse|longer|shorter|higher|lower|nearer|"
    "closer|wider|narrower|flatter|sooner|later|earlier|easier|harder"
)
MOST = "most|fewest|least|fastest|slowest|cheapest|largest|smallest|steepest"
COMPARED = re.compile(
    rf"""\b(?:
        faster | slower | fewer | steeper | cheaper | dearer
      | (?:{MORE})\b[^,;:.]*\bthan
      | the\ (?:{MOST})\ of
      | (?:twice|{COUNT}\ times)\ as
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
ASSERTS = re.compile(r"^\s*(?:assert\b|[\w.]*\bassert_)", re.MULTILINE)


def typed(text: str) -> Iterator[tuple[str, str]]:
    """Find the numbers of a text that look measured, each with its sentence."""
    for sentence in sentences(text):
        for found in MEASURED.finditer(sentence):
            if not DEFINED.search(sentence[: found.start()]):
                yield found[0], sentence


def compared(text: str) -> Iterator[str]:
    """Find the sentences of a text that compare."""
    return (sentence for sentence in sentences(text) if COMPARED.search(sentence))


def check(app: Sphinx, page: nodes.document) -> None:
    """Warn of every claim of a page that nothing holds; a build with -W fails."""
    cells = [x for x in page.findall(nodes.container) if x.get("nb_element") == "cell_code"]
    tested = {section(cell) for cell in cells if ASSERTS.search(source(cell))}
    for node, text in texts(page):
        for number, sentence in typed(text):
            cure = "show a {value}, or write mathematics, code, {given} or {reported}"
            warn(app, node, f"the number '{number}' is typed; {cure}", sentence)
        for sentence in compared(text) if cells else ():
            if section(node) not in tested:
                cure = "assert it in a cell of this section"
                warn(app, node, f"nothing in this section holds a comparison; {cure}", sentence)
    cites = [x for x in page.findall(addnodes.pending_xref) if x.get("refdomain") == "cite"]
    for node in page.findall(nodes.inline):
        if "reported" in node["classes"] and section(node) not in map(section, cites):
            cure = "cite its source with {cite:p} in this section"
            warn(app, node, f"nobody is named who reported '{node.astext()}'; {cure}")


def source(cell: nodes.Element) -> str:
    """Read the code of a cell."""
    parts = (part for part in cell.children if part.get("nb_element") == "cell_code_source")
    return "".join(block.astext() for part in parts for block in part.findall(nodes.literal_block))


def warn(app: Sphinx, node: nodes.Element, fault: str, sentence: str = "") -> None:
    """Say what is wrong, on which page, near which line, and in which sentence."""
    page = app.env.docname
    line = next((x.line for x in (node, *ancestors(node)) if x.line), None)
    message = "\n".join(filter(None, (f"{page}: {fault}", sentence)))
    LOGGER.warning("%s", message, location=(page, line), type="claims")


class Mark(SphinxRole):
    """Show a number as it is written, and remember what it is."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number, marked by the name of the role."""
        shown = nodes.inline(self.text, self.text, classes=[self.name])
        self.set_source_info(shown)
        return [shown], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the roles, and check a page as soon as it is read."""
    for name in "given", "reported":
        app.add_role(name, Mark())
    app.connect("doctree-read", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
