"""A page says what it is about and where it stands, to whoever shares, lists or misses it."""

import re
import runpy
import struct
from types import SimpleNamespace
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
import sphinxext.opengraph
from books import HOUSE
from bs4 import BeautifulSoup
from docutils.utils import new_document
from extensions import missing, sharing

SITE = "https://owner.github.io/gdla/"
PAGE = """\
:::{admonition} In this chapter
A box is no description.
:::

The length of $x$ is a formula.

How far is "down" & out?

Another paragraph.
"""
PAGES = ["index", "one", "two"]
WITHOUT_SOURCE = ["search", "genindex", "404"]


def written(new_book):
    book = new_book()
    book.write("one", PAGE)
    book.write("two", f"{'Words that lead nowhere. ' * 9}\n\n## Then\n\nMore.")
    return book


def built(book, *options, site=""):
    made = book.build(*options, GITHUB_REPOSITORY="", GDLA_BASEURL=site)
    assert made.code == 0, made.said
    return made


@pytest.fixture(scope="module")
def book(new_book):
    return written(new_book)


@pytest.fixture(scope="module")
def known(book):
    return built(book, "-j", "2", site=SITE)


@pytest.fixture(scope="module")
def unknown(new_book):
    return built(written(new_book))


def head(build, name):
    return BeautifulSoup(build.page(name), "html.parser").head


def tags(build, name):
    """What the tags of a page say, each of which it has once."""
    found = {}
    for tag in head(build, name)("meta"):
        key = tag.get("property") or tag.get("name")
        if key and key != "theme-color":
            assert key not in found, (name, key)
            found[key] = tag["content"]
    return found


def places(build):
    root = ElementTree.parse(build.html / "sitemap.xml").getroot()
    return [place.text for place in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]


def test_a_page_has_one_address(known):
    addresses = [SITE, f"{SITE}one.html", f"{SITE}two.html"]
    assert places(known) == addresses
    for name, address in zip(PAGES, addresses, strict=True):
        assert tags(known, name)["og:url"] == address
        (canonical,) = head(known, name)("link", rel="canonical")
        assert canonical["href"] == address


def test_robots_find_the_sitemap(known):
    lines = (known.html / "robots.txt").read_text().splitlines()
    assert f"Sitemap: {SITE}sitemap.xml" in lines
    assert "User-agent: *" in lines


def test_the_card_is_named_in_full_and_is_there(known):
    for name in PAGES:
        found = tags(known, name)
        assert found["og:image"].startswith(SITE)
        picture = (known.html / found["og:image"].removeprefix(SITE)).read_bytes()
        size = struct.unpack(">II", picture[16:24])
        assert (int(found["og:image:width"]), int(found["og:image:height"])) == size
        assert "Step downhill." in found["og:image:alt"]
        assert found["twitter:card"] == "summary_large_image"
        assert found["og:type"] == "website"


def test_where_nobody_knows_the_address_nothing_depends_on_it(unknown):
    for file in "sitemap.xml", "robots.txt", "CNAME":
        assert not (unknown.html / file).exists()
    for name in PAGES + WITHOUT_SOURCE:
        assert not head(unknown, name)("link", rel="canonical")
        assert not {"og:url", "og:image", "twitter:card"} & set(tags(unknown, name))
    assert tags(unknown, "one")["og:title"] == "one"


def test_sphinxext_opengraph_still_writes_half_an_address():
    settings = {"type": "website", "description_length": 9, "site_name": "", "image": None}
    settings |= {"site_url": "", "canonical_url": "", "image_alt": None, "use_first_image": False}
    settings |= {"social_cards": {"enable": False}, "custom_meta_tags": ()}
    config = SimpleNamespace(
        ogp_enable_meta_description=False, **{f"ogp_{name}": x for name, x in settings.items()}
    )
    context = {"meta": {}, "title": "A", "pagename": "a", "metatags": ""}
    builder = SimpleNamespace(get_target_uri="{}.html".format)
    places = {"srcdir": "", "outdir": "", "env": None}
    said = sphinxext.opengraph.get_tags(
        context, new_document(""), config=config, builder=builder, **places
    )
    assert sharing.NO_ADDRESS.search(said)[0].strip().endswith('content="a.html" />')


@pytest.mark.parametrize("build", ["known", "unknown"])
def test_a_page_is_described_by_its_first_plain_paragraph(build, request):
    made = request.getfixturevalue(build)
    found = tags(made, "one")
    assert found["description"] == found["og:description"] == "How far is “down” & out?"
    assert tags(made, "two")["description"] == " ".join(["Words that lead nowhere."] * 8)
    for name in PAGES + WITHOUT_SOURCE:
        assert 0 < len(tags(made, name)["description"]) <= sharing.LENGTH + 2
    assert tags(made, "search")["description"] == "Search: Linear algebra by gradient descent"


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Brief.", "Brief."),
        ("word " * 60, "word " * 39 + "word …"),
        ("A. " + "word " * 60, "A. " + "word " * 38 + "word …"),
        ("a" * 70 + ". " + "word " * 60, "a" * 70 + "."),
    ],
)
def test_a_description_ends_after_a_sentence_or_a_word(text, short):
    assert sharing.shortened(text) == short


def test_the_title_of_the_first_page_is_said_once(known):
    assert head(known, "index").title.text.count("Linear algebra by gradient descent") == 1
    assert BeautifulSoup(known.page("index"), "html.parser").html["lang"] == "en"


# What is not there


def addressed(build, name):
    """Everything that a page loads or leads to, its own places left out."""
    for tag in BeautifulSoup(build.page(name), "html.parser")(True):
        for key in "href", "src", "action":
            to = tag.get(key)
            if to is not None and not to.startswith("#") and tag.get("rel") != ["canonical"]:
                yield to


@pytest.mark.parametrize(("build", "site"), [("known", SITE), ("unknown", "http://localhost/")])
def test_the_page_for_what_is_missing_works_at_any_depth(build, site, request):
    made = request.getfixturevalue(build)
    found = list(addressed(made, "404"))
    assert len(found) > 15
    for to in found:
        place = urljoin(f"{site}some/where/deep.html", to)
        assert place.startswith(site), to
        path = unquote(urlsplit(place).path).removeprefix(urlsplit(site).path)
        assert (made.html / (path or "index.html")).is_file(), to
    root = BeautifulSoup(made.page("404"), "html.parser").html
    assert urljoin(f"{site}some/where/deep.html", root["data-content_root"]) == site


def test_it_is_no_page_to_be_found(known):
    assert tags(known, "404")["robots"] == "noindex"
    assert not head(known, "404")("link", rel="canonical")
    assert not [place for place in places(known) if "404" in place]


def test_it_leads_to_every_page_and_to_the_search(known):
    article = BeautifulSoup(known.page("404"), "html.parser").article
    assert [link["href"] for link in article("a")][-3:] == [
        *("/gdla/index.html", "/gdla/one.html", "/gdla/two.html")
    ]
    assert article.form["action"] == "/gdla/search.html"
    assert article.form.find("input")["name"] == "q"


def test_a_place_on_the_page_and_another_site_stay_what_they_are():
    text = '<a href="#top"> <a href="https://a.org/b"> <img src="data:,x"> <p data-href="a">'
    assert missing.rooted(text, "/gdla/") == text
    relative = """<a href="./a.html#b"> <form action='s.html'> <html data-content_root="./">"""
    rooted = """<a href="/gdla/a.html#b"> <form action='/gdla/s.html'> """
    assert missing.rooted(relative, "/gdla/") == rooted + '<html data-content_root="/gdla/">'
    assert missing.rooted(rooted, "/gdla/") == rooted


# Over time, and in other places


def test_github_takes_the_folder_as_it_is(known):
    assert (known.html / ".nojekyll").read_bytes() == b""


def test_two_builds_write_the_same(known, new_book):
    again = built(written(new_book), site=SITE)
    names = ["sitemap.xml", "robots.txt", "404.html"]
    names += [f"_static/{name}" for name in ("favicon.svg", "logo.svg", "card.png")]
    for name in names:
        assert (again.html / name).read_bytes() == (known.html / name).read_bytes(), name


def test_what_was_listed_is_listed_after_a_build_of_nothing_and_forgotten_without_address(new_book):
    book = written(new_book)
    first = built(book, site=SITE)
    listed, lost = places(first), first.page("404")
    assert places(built(book, site=SITE)) == listed
    assert first.page("404") == lost
    book.write("three", "New.")
    assert len(places(built(book, site=SITE))) == len(listed) + 1
    assert not (built(book).html / "sitemap.xml").exists()


@pytest.mark.parametrize(
    ("repository", "named", "site"),
    [
        ("owner/gdla", "", SITE),
        ("owner/gdla", "https://book.example.org", "https://book.example.org/"),
        ("", "https://book.example.org/gdla/", "https://book.example.org/gdla/"),
        ("", "", ""),
    ],
)
def test_the_address_is_named_or_known_to_github(repository, named, site, monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", repository)
    monkeypatch.setenv("GDLA_BASEURL", named)
    assert runpy.run_path(str(HOUSE / "_config" / "conf.py"))["html_baseurl"] == site
    assert re.search(r"\bGDLA_BASEURL\b", (HOUSE / "CONTRIBUTING.md").read_text())
