"""Name a file of the repository, {source}`tests/site/test_cells.py`: a link to it in this commit.

Where the repository's address or the commit is unknown it is code and no link. A file that is not
there stops the build.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole
from sphinx.writers.html5 import HTML5Translator

from extensions.provenance.foot import linked

LOGGER = logging.getLogger(__name__)


class File(nodes.Inline, nodes.TextElement):
    """The name of a file; the commit that its link holds is known when the page is written."""


class Source(SphinxRole):
    """Look for the file, now and whenever it changes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return its name."""
        file = Path(self.config.provenance_folder, self.text)
        self.env.note_dependency(file)
        if not file.is_file():
            message = f"there is no file {self.text}"
            LOGGER.warning("%s", message, location=self.get_location(), type="sources")
        return [File(self.text, self.text)], []


def visit_file(translator: HTML5Translator, node: File) -> None:
    """Write the name, and the link."""
    config, name = translator.config, node.astext()
    code = f'<code class="docutils literal">{escape(name)}</code>'
    translator.body.append(linked(config, code, "blob", config.provenance_commit, name))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role; the settings are those of extensions.provenance."""
    app.setup_extension("extensions.provenance.foot")
    app.add_node(File, html=(visit_file, None))
    app.add_role("source", Source())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
