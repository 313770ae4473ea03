"""The book itself: every page executed, every picture described, every link leads somewhere."""

import html
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from books import HOUSE, sphinx
from fonts.subset import FONT, ITALIC, ITALIC_GREEK, SIGNS
from fontTools.ttLib import TTFont

pytestmark = pytest.mark.xdist_group("book")

SOURCE, HTML = HOUSE / "book", HOUSE / "build" / "html"
PAGES = sorted(file.relative_to(SOURCE).with_suffix("").as_posix() for file in SOURCE.rglob("*.md"))
FENCE = re.compile(r"^(`{3,}|:{3,})\s*\{code-cell\}", re.M)
REMOVED = re.compile(r"^:?\s*tags:.*\bremove-cell\b", re.M)


@dataclass
class Page(HTMLParser):
    """What the tests want to know of a page."""

    path: Path
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)
    pictures: list[str | None] = field(default_factory=list)
    classes: Counter[str] = field(default_factory=Counter)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.source = self.path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.classes.update((given.get("class") or "").split())
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        # The mark stands beside the title of the book, and says no more.
        if tag == "img" and not given.get("src", "").partition("?")[0].endswith("_static/logo.svg"):
            self.pictures.append(given.get("alt"))
        if tag == "svg" and given.get("role") == "img":
            self.pictures.append(given.get("aria-label"))
        if tag in ("script", "img", "iframe", "source") and given.get("src"):
            self.assets.append(given["src"])
        if tag == "link" and given.get("rel") != "canonical":
            self.assets.append(given["href"])

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def site():
    """Build what is missing, as `nox -s docs` does, and read every page."""
    build = sphinx("-d", "build/doctrees", "-j", "8", "book", "build/html")
    assert build.code == 0, build.said
    return {file.relative_to(HTML).as_posix(): Page(file) for file in HTML.rglob("*.html")}


def test_the_book_has_pages():
    assert "index" in PAGES


@pytest.mark.parametrize("name", PAGES)
def test_every_cell_was_executed(site, name):
    page, source = site[f"{name}.html"], (SOURCE / f"{name}.md").read_text(encoding="utf-8")
    cells = len(FENCE.findall(source)) - len(REMOVED.findall(source))
    assert page.classes["cell"] == cells
    # What a cell prints, shows or hides was looked at when the page was built; here, what is left.
    assert "<Figure size" not in page.text
    assert "Traceback (most recent call last)" not in page.text
    assert page.classes["stderr"] == page.classes["traceback"] == 0


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_described(site, name):
    for alt in site[f"{name}.html"].pictures:
        assert alt, "a picture without a description"
        assert not re.search(r"\.(svg|png|jpe?g|webp)$", alt), "a file name describes nothing"


def test_links_lead_to_a_page_and_a_place(site):
    lost = []
    for page in site.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = page.path
            if parts.path:
                # The page for what is missing is addressed from the root of the site.
                path = unquote(parts.path)
                start = HTML if path.startswith("/") else page.path.parent
                target = (start / path.lstrip("/")).resolve()
                target = target / "index.html" if target.is_dir() else target
            there = site.get(target.relative_to(HTML).as_posix()) if target.exists() else None
            if not target.exists() or (parts.fragment and unquote(parts.fragment) not in there.ids):
                lost.append(f"{page.path.name}: {link}")
    assert lost == []


def test_an_id_is_given_once(site):
    twice = {
        name: [given for given, times in Counter(page.ids).items() if times > 1]
        for name, page in site.items()
    }
    assert {name: ids for name, ids in twice.items() if ids} == {}


def test_nothing_is_fetched_from_another_origin(site):
    assets = {asset for page in site.values() for asset in page.assets}
    assert {asset for asset in assets if urlsplit(asset).netloc} == set()
    for css in (HTML / "_static").rglob("*.css"):
        assert "url(http" not in css.read_text(encoding="utf-8"), css.name


# A variable is one letter, and browsers draw the italic one of these in its place.
DRAWN = {unicodedata.normalize("NFKC", sign): sign for sign in ITALIC + ITALIC_GREEK}
VARIABLE = re.compile(r"<mi>(.)</mi>")


def test_the_font_has_every_sign_of_every_formula(site):
    """What it lacks comes from some other font; _config/fonts/subset.py says how to add it."""
    there = set(map(chr, TTFont(FONT).getBestCmap()))
    assert there >= SIGNS, "the font was not made from this list"
    lacking = {}
    for name, page in site.items():
        formulas = "".join(re.findall(r"<math.*?</math>", page.source, re.S))
        variables = {DRAWN.get(letter, letter) for letter in VARIABLE.findall(formulas)}
        signs = set(html.unescape(re.sub(r"<[^>]*>", "", formulas))) | variables
        lacking[name] = signs - there - {"\n"}
    assert {name: signs for name, signs in lacking.items() if signs} == {}
    assert len(FONT.read_bytes()) < 40_000


def test_the_search_knows_every_page(site):
    index = (HTML / "searchindex.js").read_text(encoding="utf-8")
    for name in PAGES:
        assert f'"{name}"' in index
