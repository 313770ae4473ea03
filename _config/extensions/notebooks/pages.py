"""Hand every chapter out as a notebook and as a script, and say so below its title.

Both are made of the page as it is about to be written, whether its cells were executed or not, and
lie in build/html/notebooks. Colab and Binder open notebooks from a branch of the repository, to
which .github/workflows/publish.yml carries them.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from docutils import nodes
from pybtex.plugin import find_plugin
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from extensions.notebooks import handouts, markdown
from extensions.notebooks.prose import Writer

FOLDER = "notebooks"  # and the name of the branch
HUB = "https://github.com/"
bibliography = find_plugin("pybtex.backends", "docutils")()


def write(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Write both files of a page, and the line of links to them."""
    config = app.config
    if page not in config.notebooks_pages or app.builder.format != "html":
        return
    here = published(app, page)
    writer = Writer(page, config.mathematics_macros, leads(here), numbers(app, page))
    cells = [*handouts.cells(doctree, writer), *cited(app, page, writer)]
    origin = f'# A page of "{config.project}"' + (f", {here}" if here else ".")
    place = library(config)
    made = {
        "ipynb": handouts.notebook(cells, origin, config.release, place),
        "py": handouts.script(cells, origin, place),
    }
    for file, text in zip(files(app, page), made.values(), strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    title = next(iter(doctree.findall(nodes.title)))
    below = title.parent.index(title) + 1
    title.parent.insert(below, nodes.raw("", links(config, page), format="html"))


def files(app: Sphinx, page: str) -> list[Path]:
    """Name the notebook and the script of a page."""
    return [Path(app.outdir, FOLDER, f"{page}.{ending}") for ending in ("ipynb", "py")]


def published(app: Sphinx, page: str) -> str:
    """Return the address of a page, or nothing if nobody knows where the book is published."""
    base = app.config.html_baseurl.rstrip("/")
    return f"{base}/{app.builder.get_target_uri(page)}" if base else ""


def library(config: Config) -> str:
    """Say where pip finds the library: in the repository, this commit, or in the index."""
    repository, commit = config.provenance_repository, config.provenance_commit
    return f" @ git+{repository}@{commit}" if repository and commit else f"=={config.release}"


def leads(here: str) -> Any:
    """Tell where references of a page lead; nowhere, if it is not known or on the same page."""

    def address(reference: nodes.reference) -> str:
        uri = reference.get("refuri", "")
        if "://" in uri or uri.startswith("mailto:"):
            return str(uri)
        return urljoin(here, uri) if here and uri and not uri.startswith("#") else ""

    return address


def numbers(app: Sphinx, page: str) -> Any:
    """Tell the names of figures, listings and formulas of a page."""
    known = app.env.toc_fignumbers.get(page, {})

    def numbered(node: nodes.Element, kind: str) -> str:
        number = known.get(kind, {}).get(next(iter(node["ids"]), ""), ())
        name = app.config.numfig_format.get(kind, "%s")
        return name % ".".join(map(str, number)) if number else ""

    return numbered


def cited(app: Sphinx, page: str, writer: Writer) -> list[handouts.Cell]:
    """List what a page cites: in a notebook a label must say something on its own."""
    domain: Any = app.env.get_domain("cite")
    here = {to.key for ref in domain.citation_refs if ref.docname == page for to in ref.targets}
    entries = {one.key: one.formatted_entry for one in domain.citations if one.key in here}
    points = [
        [markdown.wrapped(f"[{entry.label}] {writer.inline(bibliography.paragraph(entry))}")]
        for entry in entries.values()
    ]
    text = f"## References\n\n{markdown.listed(points)}"
    return [handouts.Cell("markdown", text)] if points else []


def links(config: Config, page: str) -> str:
    """Write the line below the title: both files and, if it is known, who opens the notebook."""
    file = "../" * page.count("/") + f"{FOLDER}/{quote(page)}"
    found = [
        f'<a href="{file}.py" download>script (.py)</a>',
        f'<a href="{file}.ipynb" download>notebook (.ipynb)</a>',
    ]
    repository, commit = config.provenance_repository, config.provenance_commit
    if repository.startswith(HUB) and commit:
        name, path = repository.removeprefix(HUB).rstrip("/"), f"{commit}/{page}.ipynb"
        colab = f"https://colab.research.google.com/github/{name}/blob/{FOLDER}/{quote(path)}"
        binder = f"https://mybinder.org/v2/gh/{name}/{FOLDER}?labpath={quote(path, safe='')}"
        found += [f'<a href="{escape(colab)}">Colab</a>', f'<a href="{escape(binder)}">Binder</a>']
    return f'<p class="take-along">Take this page along: {" · ".join(found)}</p>\n'


def clear(app: Sphinx) -> None:
    """Remove the files of pages that are handed out no more."""
    kept = {file for page in app.config.notebooks_pages for file in files(app, page)}
    for file in Path(app.outdir, FOLDER).rglob("*"):
        if file.is_file() and file not in kept:
            file.unlink()


def missing(app: Sphinx, env: BuildEnvironment, *changes: set[str]) -> list[str]:
    """Have a page written again that lacks its files."""
    pages = env.found_docs.intersection(app.config.notebooks_pages)
    return [page for page in pages if not all(file.exists() for file in files(app, page))]


def setup(app: Sphinx) -> dict[str, Any]:
    """Write a page's files when its references are resolved."""
    app.setup_extension("extensions.mathematics")
    app.setup_extension("extensions.provenance.foot")
    app.add_config_value("notebooks_pages", [], "html", list)
    app.connect("builder-inited", clear)
    app.connect("env-get-outdated", missing)
    app.connect("doctree-resolved", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
