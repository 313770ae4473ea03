"""Without JavaScript the book is a book: it can be read, and its links lead on."""

import pytest

from tests.browser.pages import DESK, HTML, PAGES, PHONE, SCHEMES

# Buttons that need no script: the browser itself opens what they name.
DEAD = "button:not([popovertarget]), input, select, [role=slider], [role=switch]"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_and_shows_nothing_dead(visit, address, name):
    page = visit(f"{address}/{name}.html", java_script_enabled=False)
    assert page.locator("h1:visible").count() == 1
    if name != "search":
        assert len(page.locator("main").inner_text()) > 100
    assert page.locator(f"{DEAD}").locator("visible=true").count() == 0
    played = page.locator("figure:has([data-explorable])")
    for number in range(played.count()):
        figure = played.nth(number)
        assert not figure.locator("[data-explorable]").is_visible()
        assert figure.locator("svg[role=img], img").locator("visible=true").count() == 1
        assert figure.locator("figcaption").is_visible()


def test_the_search_says_why_it_is_not_there_and_what_else_helps(visit, address):
    page = visit(f"{address}/search.html", java_script_enabled=False)
    assert "JavaScript" in page.locator("main").inner_text()
    page.locator("main").get_by_role("link", name="index").first.click()
    page.wait_for_url("**/genindex.html")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_links_lead_from_the_first_page_to_every_other(visit, address, width):
    page = visit(f"{address}/index.html", java_script_enabled=False, width=width)
    chapters = page.locator("#chapters a")
    if width == PHONE:
        page.get_by_role("button", name="Chapters").click()
    assert chapters.first.is_visible()
    linked = {link.get_attribute("href").partition("#")[0] for link in chapters.all()}
    book = {f"{file.stem}.html" for file in (HTML / "_sources").glob("*.md")} or {
        f"{name}.html" for name in PAGES if name not in {"genindex", "py-modindex", "search"}
    }
    assert book - linked - {"404.html", "index.html"} == set()
    chapters.filter(has_text="Singular").first.click()
    page.wait_for_url("**/svd.html")
    page.get_by_role("link", name="next").click()
    page.wait_for_url(lambda url: not url.endswith("svd.html"))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_colours_are_those_of_the_system(visit, address, scheme):
    page = visit(f"{address}/descent.html", java_script_enabled=False, scheme=scheme)
    picture = page.screenshot(clip={"x": 0, "y": 400, "width": 4, "height": 4})
    light = sum(pixel(picture)) / 3
    assert light < 60 if scheme == "dark" else light > 200


def pixel(png):
    """Read the first pixel; where no script runs nothing can be asked of the page."""
    from io import BytesIO

    from PIL import Image

    return Image.open(BytesIO(png)).convert("RGB").getpixel((0, 0))
