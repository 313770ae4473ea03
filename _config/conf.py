"""How the pages in book/ become a site: settings, and the names of extensions that obey them."""

import os
import sys
from importlib import metadata
from pathlib import Path

HOUSE = Path(__file__).parents[1]
BUILD = Path(os.environ.get("GDLA_BUILD", HOUSE / "build")).absolute()
sys.path.insert(0, str(HOUSE / "_config"))  # Sphinx finds `extensions` here

# The book
project = "Linear algebra by gradient descent"
author = "the gdla authors"
copyright = "the gdla authors, MIT licence"
version = release = metadata.version("gdla")
language = "en"

extensions = [
    "extensions.builds",
    "extensions.cells",
    "extensions.docstrings",
    "extensions.explorables",
    "extensions.figures",
    "extensions.identity",
    "extensions.inventories",
    "extensions.mathematics",
    "extensions.missing",
    "extensions.notebooks",
    "extensions.numbers",
    "extensions.programs",
    "extensions.provenance",
    "extensions.published",
    "extensions.reading",
    "extensions.sharing",
    "extensions.shell",
    "extensions.terms",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.githubpages",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
]
source_suffix = {".md": "myst-nb"}
exclude_patterns = ["**/.ipynb_checkpoints", "**/README.md"]
alone_lock = str(BUILD / "site.lock")

# Cells
nb_execution_mode = "cache"
nb_execution_timeout = 120
nb_merge_streams = True
nb_number_source_lines = False
cells_package = str(HOUSE / "gdla")
cells_files = [str(HOUSE / "tests" / "benchmarks" / "results.json")]
cells_folder = str(BUILD / "cells")
# These pages alone are executed, the others are shown without outputs; empty: all are.
cells_pages = [page for page in os.environ.get("GDLA_PAGES", "").split(",") if page]
kernels_folder = str(BUILD)
kernels_matplotlibrc = str(HOUSE / "_config" / "matplotlibrc")
# Whatever is wrong with a cell is said once, by extensions.cells.outputs.
nb_output_stderr = "show"
suppress_warnings = ["mystnb.exec"]

# The foot of each page. GitHub's workflows say where the repository is; elsewhere nobody does.
provenance_folder = str(HOUSE)
address = [os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY")]
provenance_repository = "/".join(address) if all(address) else ""

# Pages that readers can take along. benchmarks reads a file of the repository and stays.
notebooks_pages = [
    *("tensors", "derivatives", "descent", "noise", "inverse", "svd", "unchecked"),
    *("faster", "clinic", "snippets"),
]
# Where their links lead, and where the site will stand: what GDLA_BASEURL says, or GitHub Pages,
# which sends readers on to a domain of one's own. Elsewhere nobody knows.
owner, _, name = address[1].partition("/")
html_baseurl = os.environ.get("GDLA_BASEURL") or f"https://{owner}.github.io/{name}" * bool(owner)
html_baseurl = html_baseurl and html_baseurl.rstrip("/") + "/"

# MyST
myst_enable_extensions = [
    "amsmath",
    "attrs_block",
    "attrs_inline",
    "colon_fence",
    "deflist",
    "dollarmath",
    "substitution",
]
myst_heading_anchors = 3
myst_dmath_double_inline = True
myst_links_external_new_tab = False

# Numbers and references
numfig = True
numfig_format = {"figure": "Figure %s", "table": "Table %s", "code-block": "Listing %s"}
math_number_all = False
math_eqref_format = "({number})"
nitpicky = True
nitpick_ignore: list[tuple[str, str]] = []
bibtex_bibfiles = [str(HOUSE / "book" / "references.bib")]
bibtex_default_style = "alpha"
bibtex_reference_style = "label"

# Mathematics
html_math_renderer = "mathml"
mathematics_macros = {
    "R": r"\mathbb{R}",
    "C": r"\mathbb{C}",
    "T": r"\mathsf{T}",  # A^\T
    "norm": r"\lVert #1 \rVert",
    "abs": r"\lvert #1 \rvert",
    "diag": r"\operatorname{diag}",
    "tr": r"\operatorname{tr}",
    "rank": r"\operatorname{rank}",
}

# Documentation of the library; in a docstring `this` is code
default_role = "code"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
inventories_folder = str(BUILD / "inventories")
inventories_sources = str(HOUSE / "_config" / "inventories")
intersphinx_timeout = 1

# The site
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["book.css"]
identity_folder = str(BUILD / "identity")
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_permalinks_icon = "#"
html_sidebars = {"**": ["navbar-logo.html", "search-box.html", "navigation.html"]}
templates_path = ["templates"]
html_theme_options = {"show_toc_level": 2, "toc_title": "On this page"}
copybutton_selector = "div.cell_input div.highlight pre, div.highlight-python div.highlight pre"
copybutton_exclude = ".linenos, .gp, .go"
