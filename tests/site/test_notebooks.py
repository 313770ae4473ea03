"""What readers take along says what its page says, and installs what it needs."""

import importlib.metadata
import re
import runpy
import subprocess
from dataclasses import dataclass
from types import SimpleNamespace

import nbformat
import pytest
from books import HOUSE, sphinx
from bs4 import BeautifulSoup
from extensions.notebooks import markdown
from extensions.notebooks import pages as notebooks
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

PAGE = r"""
:::{admonition} Before *all*
:class: tip

**What we do.** See {doc}`other`, {eq}`eq-there`, {term}`loss`, [below](#a-list) and
{py:class}`functools.partial`. It is known {cite:p}`polyak1964`, and {cite:t}`polyak1964` said so.

$$
a
= b
$$ (eq-quoted)
:::

Not of Markdown: 2 \* 3 \* 4, \_a\_ and b_c, \`code\`, \[a\](b), \!\[c\](d), \<i\>, \$x\$,
\~\~e\~\~, \&amp;, a\\b.

1\. is no point,
\- neither is this
\+ or that, and
\# is no heading.

Inline $A^\T \in \R$ and {numref}`fig-falls`, {eq}`eq-here`, {numref}`lst-toy`, ``a `tick` ``
and `b  c`.

$$
f(X) &= \norm{A X}y \\

     &= \norm\tr
$$ (eq-here)

\begin{align}
a &= b \\
c &= d
\end{align}

## A list

- One, with `code`.
- Two:

  3. third
  4. fourth

     and more

A term
: means *this*.

> Quoted
> words.

| left | right |
|------|-------|
| $\norm{a}$ and $\|b\|$ | `c\|d` |

```{literalinclude} ../toy/__init__.py
:language: python
:caption: The `library`.
:name: lst-toy
```

:::{note}
Noted.
:::

```{code-cell} python3
---
mystnb:
  image:
    alt: A line falls
  figure:
    name: fig-falls
    caption: The loss **falls**.
---
import matplotlib.pyplot as plt
fig, ax = plt.subplots()
ax.plot([1, 0]);
```

```{code-cell} python3
---
tags: [hide-cell]
mystnb:
  code_prompt_show: Show the solution
---
# a comment

print("hidden")
```

## Last: {doc}`other`

```{code-cell} python3
print("last")
```
"""
OTHER = r"""
$$
1 = 1
$$ (eq-there)

```{glossary}
loss
  A number.
```

```{code-cell} python3
from sklearn import datasets
```
"""
REPOSITORY, SITE = "https://github.com/owner/name", "https://owner.example/name"
VERSION = importlib.metadata.version("gdla")


@dataclass(frozen=True)
class Taken:
    """A page and what it hands out."""

    html: str
    notebook: str
    script: str

    @property
    def shown(self):
        return BeautifulSoup(self.html, "html.parser").article

    @property
    def cells(self):
        return nbformat.reads(self.notebook, as_version=4).cells

    @property
    def prose(self):
        return [cell.source for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def code(self):
        return [cell.source for cell in self.cells if cell.cell_type == "code"]


def taken(build):
    assert build.code == 0, build.said
    found = {}
    for name in "page", "other":
        files = [build.html / "notebooks" / f"{name}.{ending}" for ending in ("ipynb", "py")]
        found[name] = Taken(build.page(name), *(file.read_bytes().decode() for file in files))
    return found


@pytest.fixture(scope="module")
def build(new_book):
    """Build a book of which one page is executed, with further settings."""
    book = new_book()
    book.library(STEPS=1)
    book.write("page", PAGE)
    book.write("other", OTHER, front="  language: python\n")
    book.write("sources", "```{bibliography}\n```\n")
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in ["init"], ["commit", "--allow-empty", "-m", "x"]:
        subprocess.run([*git, *command], cwd=book.folder, capture_output=True, check=True)

    target = book.folder / "build"

    def again(*options, **settings):
        given = {
            "cells_package": book.folder / "toy",
            "notebooks_pages": "page,other,none",
            "provenance_folder": book.folder,
            "provenance_repository": "",
            "html_baseurl": "",
            **settings,
        }
        spelled = [word for name, value in given.items() for word in ("-D", f"{name}={value}")]
        places = ["-d", str(target / "doctrees"), str(book.folder / "book"), str(target / "html")]
        return sphinx(*options, *spelled, *places, GDLA_BUILD=str(target), GDLA_PAGES="page")

    again.folder = book.folder
    return again


@pytest.fixture(scope="module")
def known(build):
    """What is handed out where repository, commit and site are known."""
    return taken(build(provenance_repository=REPOSITORY, html_baseurl=SITE))


@pytest.fixture(scope="module")
def unknown(known, build):
    """The same where they are not, over what the other build left."""
    return taken(build())


@pytest.fixture(scope="module")
def page(unknown):
    return unknown["page"]


def rendered(prose):
    renderer = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
    return BeautifulSoup("".join(map(renderer.render, prose)), "html.parser")


def words(soup, without):
    for part in soup.select(without):
        part.decompose()
    return "".join(soup.get_text().split())


# What it says


def test_a_notebook_says_what_its_page_says(page):
    notebook = rendered(page.prose)
    for added in notebook.find_all(string=re.compile(r"^((Figure|Listing) \d\.|The solution:)$")):
        added.extract()
    ours = words(notebook, ".math, pre").partition("References")[0]
    parts = ".cell_input, .cell_output pre, summary, .take-along, .headerlink, .caption-number"
    theirs = words(page.shown, f"{parts}, svg, math, .formula, pre, footer, footer ~ *")
    assert ours == theirs.replace("Atermmeans", "Aterm:means")


def test_it_is_plain_markdown(known, unknown):
    for book in known, unknown:
        for text in [*book["page"].prose, book["page"].script]:
            assert not re.search(r"\{(\w+:)?\w+\}`|:::|\(eq-|%s", text)


def test_blocks_are_what_they_were(page):
    soup = rendered(page.prose)
    assert [heading.name for heading in soup.select("h1, h2")] == ["h1", "h2", "h2", "h2"]
    quotes = [quote.strong.text for quote in soup.select("blockquote:has(strong)")]
    assert quotes == ["Before all", "Note"]
    assert soup.select_one("blockquote:not(:has(strong))").p.text == "Quoted words."
    assert [item.p.text for item in soup.select('ol[start="3"] > li')] == ["third", "fourth"]
    assert soup.find("li", string=None).code.text == "code"
    assert [cell.text for cell in soup.select("th")] == ["left", "right"]
    assert soup.select_one("td code").text == "c|d"
    assert soup.find("code", class_="language-python").text == "STEPS = 1\n"
    assert not soup.select("p > img, p > i, del")


def test_a_heading_begins_a_cell(page):
    starts = [cell.partition("\n")[0] for cell in page.prose if re.search(r"^#", cell, re.M)]
    assert starts == ["# page", "## A list", "## Last: other", "## References"]


@pytest.mark.parametrize(
    "formula",
    [
        r"Inline $A^{\mathsf{T}} \in \mathbb{R}$ and Figure 1, (3), Listing 1,",
        "> $$ a = b \\tag{2} $$",  # Jupyter would keep a > inside the formula
        "$$\n\\begin{aligned}\nf(X) &= \\lVert A X \\rVert y \\\\\n"
        "     &= \\lVert \\operatorname{tr} \\rVert\n\\end{aligned} \\tag{3}\n$$",
        "$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned} \\tag{4}\n$$",
        r"| $\lVert a \rVert$ and $\vert b\vert $ | `c\|d` |",
    ],
)
def test_formulas_are_plain_latex(page, formula):
    assert formula in "\n".join(page.prose).replace("\\vert  ", "\\vert ")


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"A^\T B_\T", r"A^{\mathsf{T}} B_{\mathsf{T}}"),
        (r"\T\R x \\T", r"\mathsf{T}\mathbb{R} x \\T"),
        (r"\norm{A \norm{\{x}} y", r"\lVert A \lVert \{x \rVert \rVert y"),
        (r"\norm xy", r"\lVert x \rVert y"),
        (r"\norm{a}b", r"\lVert a \rVert b"),
        (r"\size mn", r"\mathbb{R}^{n \times m}"),
        (r"\normal \Tx \trace", r"\normal \Tx \trace"),
    ],
)
def test_macros_are_expanded(tex, plain):
    macros = {
        "R": r"\mathbb{R}",
        "T": r"\mathsf{T}",
        "norm": r"\lVert #1 \rVert",
        "size": r"\R^{#2 \times #1}",
    }
    assert markdown.expanded(tex, macros) == plain


def test_a_cited_work_is_described(page):
    assert "It is known [Pol64], and Polyak [Pol64] said so." in " ".join(page.prose[0].split())
    entry = " ".join(page.prose[-1].split())
    assert entry.startswith("## References - [Pol64] B. T. Polyak. Some methods")
    doi = "10.1016/0041-5553(64)90137-5"
    assert f"[doi:{doi}](<https://doi.org/{doi}>)." in page.prose[-1]


def test_what_has_no_markdown_stops_the_build(new_book):
    book = new_book()
    book.write("page", "```{raw} html\n<b>bold</b>\n```\n")
    build = book.build("-D", "notebooks_pages=page")
    assert build.code == 1
    assert "page.md:9: WARNING: page: no Markdown is known for <raw>" in build.said


# Cells


def test_cells_are_those_of_the_page_in_order(page):
    typed = [
        re.sub(r"^---\n.*?\n---\n", "", cell, flags=re.S).strip()
        for cell in re.findall(r"^```\{code-cell\} python3\n(.*?)^```$", PAGE, re.M | re.S)
    ]
    assert len(typed) == 3
    assert page.code[1:] == typed
    kinds = [cell.cell_type for cell in page.cells]
    assert "".join(kind[0] for kind in kinds) == "cmmcmcmcm"
    assert page.prose[2].startswith("**Figure 1.** The loss **falls**.")


def test_what_the_page_hides_is_announced_and_folded(page):
    (folded,) = [at for at, cell in enumerate(page.cells) if cell.metadata]
    assert page.cells[folded].metadata == {"jupyter": {"source_hidden": True}}
    assert "hidden" in page.cells[folded].source
    assert page.cells[folded - 1].source.endswith("*The solution:*")


def test_a_notebook_is_valid_and_empty(known, unknown):
    for one in [*known.values(), *unknown.values()]:
        notebook = nbformat.reads(one.notebook, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        for cell in notebook.cells:
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None


def test_the_script_says_the_same(page):
    head, *parts = re.split(r"^# %%", page.script, flags=re.M)
    assert all(line.startswith("#") for line in head.strip().splitlines())
    cells = []
    for part in parts:
        kind, _, text = part.partition("\n")
        cells.append(re.sub("^# ?", "", text.strip("\n"), flags=re.M) if kind else text.strip("\n"))
    assert cells == [cell.source for cell in page.cells[1:]]
    compile(page.script, "page.py", "exec")


def test_every_build_makes_the_same(unknown, build):
    for name, again in taken(build("-E")).items():
        assert (again.notebook, again.script) == (unknown[name].notebook, unknown[name].script)


# Links


def test_links_lead_to_the_published_pages(known):
    text = " ".join(known["page"].prose[0].replace(">", "").split())
    for link in [
        f"[other]({SITE}/other.html)",
        f"[(1)]({SITE}/other.html#equation-eq-there)",
        f"[loss]({SITE}/other.html#term-loss)",
        f"[[Pol64]({SITE}/sources.html#",
        "[`functools.partial`](https://docs.python.org/3/library/functools.html#",
    ]:
        assert link in text
    assert ", below and" in text, "it is in the same notebook"
    first = f'# A page of "Linear algebra by gradient descent", {SITE}/page.html\n'
    assert known["page"].script.startswith(first)
    assert known["page"].code[0].startswith(first)


def test_without_a_site_their_text_remains(page):
    text = " ".join(page.prose[0].replace(">", "").split())
    assert "See other, (1), loss, below and [`functools.partial`](https://docs.python" in text
    assert ".html)" not in text


def test_the_line_at_the_top_leads_to_both_files(known, unknown, build):
    for book in known, unknown:
        line = book["page"].shown.select_one("h1 + .take-along")
        local = [link for link in line.find_all("a") if link.has_attr("download")]
        assert [link["href"] for link in local] == ["notebooks/page.py", "notebooks/page.ipynb"]
        for link in local:
            assert (build.folder / "build" / "html" / link["href"]).is_file()
    assert len(line.find_all("a")) == 2


def test_colab_and_binder_are_offered_where_they_find_the_notebook(known, build):
    ask = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(ask, cwd=build.folder, capture_output=True, check=True, text=True)
    commit = done.stdout.strip()
    *_, colab, binder = known["page"].shown.select(".take-along a")
    place = f"owner/name/blob/notebooks/{commit}/page.ipynb"
    assert colab["href"] == f"https://colab.research.google.com/github/{place}"
    place = f"owner/name/notebooks?labpath={commit}%2Fpage.ipynb"
    assert binder["href"] == f"https://mybinder.org/v2/gh/{place}"
    assert f"gdla[plots] @ git+{REPOSITORY}@{commit}" in known["page"].script


def test_a_page_in_a_folder_leads_out_of_it():
    config = SimpleNamespace(provenance_repository="https://example.org/x", provenance_commit="1")
    line = notebooks.links(config, "deep/a b")
    assert 'href="../notebooks/deep/a%20b.py"' in line
    assert "colab" not in line, "it knows GitHub only"


# Installing

INSTALL = {
    "page": f'pip install --quiet "gdla[plots]=={VERSION}"',
    "other": f'pip install --quiet "gdla[plots,data]=={VERSION}"',
}
HERE = {"gdla": VERSION, "matplotlib": "1", "scikit-learn": "1"}


@pytest.mark.parametrize("name", INSTALL)
def test_script_and_notebook_say_what_to_install(unknown, name):
    assert f"#     {INSTALL[name]}\n" in unknown[name].script.partition("# %%")[0]
    assert f"\n    %{INSTALL[name]}" in unknown[name].code[0]


@pytest.mark.parametrize(
    ("name", "here", "installs"),
    [
        ("page", HERE, False),
        ("other", HERE, False),
        ("page", {**HERE, "gdla": "0.0.1"}, True),
        ("page", {"matplotlib": "1"}, True),
        ("page", {"gdla": VERSION}, True),
        ("page", {"gdla": VERSION, "matplotlib": "1"}, False),
        ("other", {"gdla": VERSION, "matplotlib": "1"}, True),
    ],
)
def test_the_first_cell_installs_what_is_not_there(unknown, name, here, installs, monkeypatch):
    def version(package):
        if package in here:
            return here[package]
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", version)
    ran = []
    shell = SimpleNamespace(run_line_magic=lambda *magic: ran.append(" ".join(magic)))
    code = TransformerManager().transform_cell(unknown[name].code[0])
    exec(code, {"get_ipython": lambda: shell})
    assert ran == [INSTALL[name]] * installs


# Over time


def test_what_is_lost_comes_back_and_what_is_not_handed_out_goes(unknown, build):
    folder = build.folder / "build" / "html" / "notebooks"
    (folder / "page.py").unlink()
    (folder / "old.ipynb").write_text("{}")
    assert build(notebooks_pages="page").code == 0
    assert {file.name for file in folder.iterdir()} == {"page.py", "page.ipynb"}
    assert (folder / "page.py").read_bytes().decode() == unknown["page"].script


def test_the_workflow_knows_where_the_book_is_published(monkeypatch):
    for repository, site in ("owner/name", "https://owner.github.io/name/"), ("", ""):
        monkeypatch.setenv("GITHUB_REPOSITORY", repository)
        assert runpy.run_path(str(HOUSE / "_config" / "conf.py"))["html_baseurl"] == site


def test_every_page_with_cells_is_handed_out():
    book = [file for file in (HOUSE / "book").glob("*.md") if "{code-cell}" in file.read_text()]
    listed = runpy.run_path(str(HOUSE / "_config" / "conf.py"))["notebooks_pages"]
    # The first page and what reads a file of this repository stay at home.
    assert {file.stem for file in book} - {"index", "benchmarks"} <= set(listed)
