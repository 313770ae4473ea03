"""There is one search box, and it finds words, names of methods, and functions of the library."""

import pytest

from tests.browser.pages import FRAMES, HTML, until

FOUND = {
    "learning rate": "descent.html",
    "Newton-Schulz": "faster.html",
    "gdla.minimize": "api.html",
}


def results(page):
    page.wait_for_selector("#search-results li a")
    until(page, "!document.querySelector('#search-progress')?.textContent.includes('...')")
    links = page.locator("#search-results li a").all()
    return {link.get_attribute("href").partition("#")[0].partition("?")[0] for link in links}


@pytest.mark.parametrize(("words", "where"), FOUND.items())
def test_it_finds(visit, address, words, where):
    page = visit(f"{address}/index.html")
    box = page.locator("input[name=q]").first
    box.fill(words)
    box.press("Enter")
    assert where in results(page)
    assert page.locator("main input[name=q]").input_value() == words


@pytest.mark.parametrize(("words", "where"), FOUND.items())
def test_from_a_folder_it_finds_the_same_and_says_what_is_missing(visit, words, where):
    page = visit((HTML / "index.html").as_uri())
    box = page.locator("input[name=q]").first
    box.fill(words)
    box.press("Enter")
    assert where in results(page)
    assert "excerpt" in page.locator("main").inner_text()


def test_what_is_found_says_where_it_stands_and_is_marked_there(visit, address):
    page = visit(f"{address}/search.html?q=learning+rate")
    results(page)
    link = page.locator("#search-results li a[href*='descent.html']").first
    link.click()
    page.wait_for_url("**/descent.html**")
    marked = {mark.text_content().lower() for mark in page.locator("mark").all()}
    assert marked
    assert all(word in {"learning", "rate"} for word in marked), marked


def test_what_is_nowhere_is_said(visit, address):
    page = visit(f"{address}/search.html?q=xylophone")
    page.get_by_text("did not match any").wait_for()


@pytest.mark.parametrize("name", FRAMES)
def test_there_is_one_box(visit, address, name):
    page = visit(f"{address}/{name}.html")
    assert page.locator("input[name=q]").count() == 1
    assert page.locator("[role=search]").count() == 1
