"""The frame of a page: what it may load, what it loads, and that nothing in it is forbidden."""

import base64
import hashlib
import re

import pytest
from books import HOUSE
from docutils.writers import _html_base
from extensions.mathematics import STYLES, mathml
from extensions.shell.mends import mended
from extensions.shell.plain import unwrapped
from extensions.shell.policy import RULES, SCRIPT, headers, policy, script
from extensions.shell.pruning import Names, pruned
from math_core import LatexToMathML
from myst_nb import sphinx_ as myst_nb

pytestmark = pytest.mark.xdist_group("shell")

PAGE = r"""
```{note}
A note, in a book that has no warnings.
```

```{code-cell} python3
:tags: [hide-input]
print(1)
```

| | b |
|---|---|
| 1 | 2 |

$$
\begin{align} a &= b \\ c &= d \end{align}
$$
"""
CSP = re.compile(r'<head>\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


@pytest.fixture(scope="module")
def book(new_book):
    book = new_book()
    book.library(STEPS=1)
    book.write("page", PAGE)
    book.write("prose", "Words alone.")
    return book


@pytest.fixture(scope="module")
def built(book):
    build = book.build()
    assert build.code == 0, build.said
    return build


@pytest.fixture(scope="module")
def pages(built):
    return {file.name: file.read_text(encoding="utf-8") for file in built.html.rglob("*.html")}


def loaded(html, kind):
    """The scripts or styles that a page loads with scripts on."""
    html = re.sub(r"<noscript>.*?</noscript>", "", html, flags=re.S)
    pattern = {"js": r'<script[^>]* src="([^"?]*)', "css": r'<link[^>]*href="([^"?]*\.css)'}[kind]
    return [file.rpartition("_static/")[2] for file in re.findall(pattern, html)]


# What a page may do


def test_every_page_begins_with_the_policy(pages):
    assert {"page.html", "search.html", "genindex.html", "404.html"} <= set(pages)
    for name, html in pages.items():
        said = CSP.search(html)
        assert said, name
        assert said[1] == policy(script()), name


def test_the_policy_allows_nothing_foreign_and_nothing_inline():
    rules = dict(rule.split(" ", 1) for rule in policy(script()).split("; "))
    assert rules["default-src"] == rules["base-uri"] == "'none'"
    for name, value in rules.items():
        assert not re.search(r"unsafe|https?:|\*", value), name
    assert set(rules) == set(RULES)


def test_the_one_script_in_a_page_is_the_one_that_the_policy_names(pages):
    for name, html in pages.items():
        (text,) = re.findall(r"<script>(.*?)</script>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in CSP.search(html)[1], name
        assert not re.findall(r'\son\w+="', html), name
        assert "javascript:" not in html, name
    assert "</" not in SCRIPT.read_text(encoding="utf-8"), "it would end the script in the page"


def test_no_style_stands_in_a_page(pages):
    for name, html in pages.items():
        assert not re.findall(r'\sstyle="[^"]*"', html), name
        assert "<style" not in html, name


def test_the_headers_say_the_same_and_what_only_they_can(built):
    assert (built.html / "_headers").read_text(encoding="utf-8") == headers()
    assert policy(script()) in headers()
    for needed in "frame-ancestors 'none'", "nosniff", "Referrer-Policy":
        assert needed in headers()


# What a page loads


def test_a_page_loads_little_and_each_thing_once(pages):
    assert loaded(pages["prose.html"], "js") == ["shell.js"]
    assert sorted(loaded(pages["page.html"], "js")) == sorted(
        [
            *("shell.js", "programs.js"),
            *("clipboard.min.js", "copybutton.js", "documentation_options.js"),
        ]
    )
    for name, html in pages.items():
        assert loaded(html, "css")[:2] == ["theme.css", "shell.css"], name
        for kind in "js", "css":
            files = loaded(html, kind)
            assert len(files) == len(set(files)), name
        for tag in re.findall(r"<script[^>]* src=[^>]*>", html):
            assert " defer" in tag, f"{name}: {tag}"


def test_only_the_search_page_loads_the_search(pages):
    for name, html in pages.items():
        assert ("searchindex.js" in html) == (name == "search.html"), name


def test_what_a_page_names_lies_in_the_folder(built, pages):
    for name, html in pages.items():
        for file in re.findall(r'(?:src|href)="([^"#?:]*\.(?:js|css|svg))', html):
            assert (built.html / file.lstrip("/")).is_file(), f"{name}: {file}"


def test_nothing_of_the_theme_is_left_that_no_page_asks_for(built):
    static = built.html / "_static"
    for left in "fontawesome*", "bootstrap*", "*.map", "fa-*", "*.mo", "*webpack*":
        assert not list(static.rglob(left)), left
    styles = (static / "theme.css").read_text(encoding="utf-8")
    assert "@font-face" not in styles
    assert len(styles) < 100_000


def test_there_is_one_search_box_and_one_h1(pages):
    for name, html in pages.items():
        assert html.count('name="q"') == (2 if name == "404.html" else 1), name
        assert html.count("<h1") == 1, name


def test_landmarks_have_names_of_their_own(pages):
    for name, html in pages.items():
        names = re.findall(r'<nav[^>]* aria-label="([^"]*)"', html)
        assert len(names) == len(set(names)) == len(re.findall(r"<nav\b", html)), name
        ids = re.findall(r'\sid="([^"]*)"', html)
        assert len(ids) == len(set(ids)), name
        assert html.count('name="viewport"') == 1, name


def test_a_page_with_formulas_names_their_font_for_the_script_to_ask_for_early(pages):
    assert 'data-font="_static/fonts/stix-two-math.woff2"' in pages["page.html"]
    assert "data-font" not in pages["prose.html"]
    # As a link in the page it would be refused, loudly, where the page is read from a folder.
    assert all('rel="preload"' not in html for html in pages.values())


def test_of_the_two_titles_of_a_fold_one_is_shown():
    rules = (HOUSE / "_config" / "static" / "shell.css").read_text(encoding="utf-8")
    for hidden in (
        "details.hide[open] > summary > .collapsed",
        ("details.hide:not([open]) > summary > .expanded"),
    ):
        assert hidden in rules


# The stylesheet


def css(text, html='<html data-theme="auto"><p class="a" id="i">', js="", others=""):
    names = Names()
    names.page(html)
    names.script(js)
    return pruned([text], names, others)


@pytest.mark.parametrize(
    "selector", [".a", "p", "#i", "p:not(.b)", ".a::after", "p:hover", ":is(.b,.a)", "*", "[open]"]
)
def test_a_rule_that_may_match_stays(selector):
    assert f"{selector}{{color:red}}" in css(f"{selector}{{color:red}}")[0]


@pytest.mark.parametrize(
    "selector", [".b", "q", "#j", "p.b", ".a .b", ":is(.b,.c)", ".a:has(.b)", "[data-bs-theme]"]
)
def test_a_rule_that_cannot_match_goes(selector):
    assert css(f"{selector}{{color:red}}")[0].strip() == ""


def test_a_rule_that_a_script_may_need_stays():
    assert ".b{" in css(".b{color:red}", js='e.classList.add("b")')[0]
    assert ".kind-x{" in css(".kind-x{color:red}", js="`kind-${kind}`")[0]


def test_of_a_list_the_possible_stay():
    assert css(".a,.b{color:red}")[0] == ".a{color:red}\n"
    assert css("@media print{.b{color:red}}")[0].strip() == ""
    assert css("@media print{.a{color:red}}")[0] == "@media print{.a{color:red}}\n"


def test_variables_that_nothing_reads_go_and_their_sources_with_them():
    text = ":root{--x:var(--y);--y:1px;--z:2px}p{width:var(--z)}"
    assert css(text)[0] == ":root{--z:2px}\np{width:var(--z)}\n"
    assert "--y" in css(text, others="q{width:var(--x)}")[0]


def test_what_is_dark_is_for_screens_and_known_without_scripts():
    text = "html[data-theme=light] .a{color:black}html[data-theme=dark] .a{color:white}"
    sheet, dark = css(text)
    assert "html:not([data-theme=dark]) .a{color:black}" in sheet
    assert "@media screen{html[data-theme=dark] .a{color:white}}" in sheet
    assert "@media print{html[data-theme=dark] .a{color:black}}" in sheet
    assert "(prefers-color-scheme:dark){html[data-theme=auto] .a{color:white}}" in dark


def test_a_page_that_is_built_again_takes_nothing_from_the_others(book, built):
    before = (built.html / "_static" / "theme.css").read_text(encoding="utf-8")
    assert "blockquote" not in before
    book.write("prose", "Words alone.\n\n> And others'.")
    again = book.build()
    assert again.code == 0, again.said
    after = (again.html / "_static" / "theme.css").read_text(encoding="utf-8")
    assert "blockquote" in after
    assert ".admonition" in after, "the other page was not built again, and still needs it"


# What dependencies write


def test_folds_citations_and_empty_headings_are_mended(pages):
    html = pages["page.html"]
    assert re.search(r'<summary>\s*<span class="collapsed admonition-title">', html)
    assert not re.search(r"<summary[^>]*>\s*<p\b", html)
    assert not re.search(r"<th[^>]*>(<p></p>)?</th>", html)
    assert mended('<div role="doc-biblioentry">') == '<div role="listitem">'


def test_the_dependencies_still_need_to_be_mended():
    # What fails here can go from extensions/shell/mends.py.
    sources = {
        myst_nb: ('<summary aria-label="Toggle hidden content">', '<p class="collapsed'),
        _html_base: ('role="doc-biblioentry"',),
    }
    for module, words in sources.items():
        with open(module.__file__, encoding="utf-8") as file:
            source = file.read()
        for word in words:
            assert word in source


@pytest.mark.parametrize(
    "tex",
    [
        r"\begin{align} a &= b \end{align}",
        r"\begin{cases} a & b \\ c & d \end{cases}",
        r"\begin{pmatrix} a & b \end{pmatrix}",
        r"\begin{gather} a \\ b \end{gather}",
        r"\begin{array}{l|r} a & b \end{array}",
        r"a \! b",
    ],
)
def test_formulas_are_laid_out_by_classes(tex):
    html = mathml(tex, {}, display=True)
    assert not re.search(r"\sstyle=", html)
    rules = (HOUSE / "_config" / "static" / "book.css").read_text(encoding="utf-8")
    for used in re.findall(r'class="([^"]*)"', html):
        for name in used.split():
            assert f"math .{name} {{" in rules, name


def test_math_core_still_writes_style_attributes():
    # When this fails, STYLES in extensions/mathematics.py can go, and its classes in book.css.
    tex = r"\begin{align} a &= b \end{align}"
    html = LatexToMathML(fancy_error=False).convert_with_local_state(tex, displaystyle=True)
    assert re.search(r'\sstyle="', html)
    assert STYLES


# Words of code


def test_a_word_of_code_has_an_element_only_where_it_has_a_colour(pages):
    code = pages["page.html"].partition("<pre>")[2].partition("</pre>")[0]
    assert code.strip() == '<span></span><span class="nb">print</span>(<span class="mi">1</span>)'


def test_what_one_of_the_styles_colours_keeps_its_element():
    code = '<span class="n">x</span> <span class="o">=</span> 1'
    page = f"{code}<pre>{code}</pre>"
    assert unwrapped(page, "bw") == f"{code}<pre>x = 1</pre>"
    assert unwrapped(page, "bw", "monokai") == f'{code}<pre>x <span class="o">=</span> 1</pre>'
