"""Say at the foot of every page what computed it, when, and in how many seconds.

The commit is a setting that Sphinx watches: when it changes, every page is written again and no
cell is executed. `{executed-pages}` makes a table of all pages whose cells were executed; it is
new because extensions.builds.together writes the page that holds it when any page was read.
"""

from __future__ import annotations

import json
import platform
import subprocess
from datetime import UTC, datetime
from html import escape
from importlib import metadata
from pathlib import Path
from typing import Any

from docutils import nodes
from jupyter_cache.cache.db import NbCacheRecord
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.i18n import format_date
from sphinx.writers.html5 import HTML5Translator
from sqlalchemy import event
from sqlalchemy.orm.attributes import set_committed_value

ROW = "<tr><{0}>{1}</{0}><{0}>{2}</{0}><{0}>{3}</{0}><{0}>{4}</{0}></tr>\n".format


class Table(nodes.General, nodes.Element):
    """The place of the table: its rows are known when every page has been read."""


class ExecutedPages(SphinxDirective):
    """Leave a place for the table."""

    def run(self) -> list[nodes.Node]:
        """Return the place."""
        return [Table()]


def ask(app: Sphinx, config: Config) -> None:
    """Ask git for the commit, and whether tracked files differ; Sphinx then compares both."""
    # Never the repository of a folder above; and no lock, which might stop somebody's commit.
    git = ["git", "--git-dir=.git", "--no-optional-locks"]
    git += ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        said = subprocess.check_output(git, cwd=config.provenance_folder, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return
    commit, *changes = said.decode(errors="replace").removeprefix("# branch.oid ").splitlines()
    config.provenance_commit = commit.replace("(initial)", "")
    config.provenance_changed = any(line[0] != "#" for line in changes)


def linked(config: Config, text: str, *place: str) -> str:
    """Link to a place in the repository, if anybody knows where that is."""
    if not (config.provenance_repository and config.provenance_commit):
        return text
    return f'<a href="{escape("/".join([config.provenance_repository, *place]))}">{text}</a>'


def count(app: Sphinx, doctree: nodes.document) -> None:
    """Count the cells of a page that was read, those too that it does not show."""
    page = app.env.metadata[app.env.docname]  # what Sphinx carries from reader to writer
    if "kernelspec" in page:
        folder = Path(app.env.mystnb_config.output_folder)  # type: ignore[attr-defined]
        notebook = json.loads((folder / f"{app.env.docname}.ipynb").read_text(encoding="utf-8"))
        page["cells"] = sum(cell["cell_type"] == "code" for cell in notebook["cells"])


def runs(env: BuildEnvironment) -> dict[str, tuple[int, str, float]]:
    """Return cells, time and seconds of each page whose cells were executed, in reading order."""
    found = {}
    for page in dict.fromkeys([*env.collect_relations(), *sorted(env.all_docs)]):
        data = env.nb_metadata.get(page, {}).get("exec_data")  # type: ignore[attr-defined]
        cells = env.metadata[page].get("cells")
        if cells and data and data["succeeded"]:
            end = datetime.fromtimestamp(data["mtime"], UTC)
            said = format_date("%-d %B %Y, %H:%M UTC", date=end, language=env.config.language)
            time = f'<time datetime="{end.isoformat(timespec="seconds")}">{said}</time>'
            found[page] = (cells, time, data["runtime"])
    return found


def in_utc(record: NbCacheRecord, context: object) -> None:
    """Remember that times in the cache are UTC; jupyter-cache 1.0.1 writes so and forgets it."""
    set_committed_value(record, "created", record.created.replace(tzinfo=UTC))


def add_foot(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Write what is known of a page below it."""
    if doctree is None:  # the index and the search are no pages
        return
    full = app.config.provenance_commit
    short = linked(app.config, full[:7] or "unknown", "commit", full)
    changed = ", with local changes" if app.config.provenance_changed else ""
    text = f"gdla {escape(app.config.version)} (commit {short}{changed})"
    if found := runs(app.env).get(page):
        torch = f"torch {metadata.version('torch')} and Python {platform.python_version()}"
        text = f"Computed by {text}, {torch}, on {found[1]}, in {found[2]:.1f} seconds"
    elif app.env.metadata[page].get("cells"):
        failed = "exec_data" in app.env.nb_metadata.get(page, {})  # type: ignore[attr-defined]
        fate = "failed" if failed else "were not executed"
        text += f". The cells of this page {fate} in this build"
    context["body"] += f'<footer class="provenance">{text}.</footer>\n'


def visit_table(translator: HTML5Translator, node: Table) -> None:
    """Write the table, whose last row has the sums of what the others show."""
    builder, found = translator.builder, runs(translator.builder.env)
    text = ROW("th", "page", "cells", "executed", "seconds")
    for page, (cells, time, seconds) in found.items():
        to = escape(builder.get_relative_uri(builder.current_docname, page))
        title = f'<a href="{to}">{escape(builder.env.titles[page].astext())}</a>'
        text += ROW("td", title, cells, time, f"{seconds:.1f}")
    cells = sum(run[0] for run in found.values())
    seconds = sum(round(run[2], 1) for run in found.values())
    text += ROW("th", "together", cells, "", f"{seconds:.1f}")
    table = f'<table class="table executed-pages">\n{text}</table>'
    translator.body.append(f'<div class="pst-scrollable-table-container">{table}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the settings; the last two are found out."""
    app.add_config_value("provenance_folder", "", "", str)
    app.add_config_value("provenance_repository", "", "html", str)
    app.add_config_value("provenance_commit", "", "html", str)
    app.add_config_value("provenance_changed", False, "html", bool)
    app.add_directive("executed-pages", ExecutedPages)
    app.add_node(Table, html=(visit_table, None))
    app.connect("config-inited", ask)
    app.connect("doctree-read", count)
    app.connect("html-page-context", add_foot)
    event.listen(NbCacheRecord, "load", in_utc)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
