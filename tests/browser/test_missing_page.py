"""Where nothing is, a page of the book says so, at any depth and below any address."""

import pytest

from tests.browser.pages import HTML
from tests.browser.server import served

PLACES = ("nowhere.html", "some/where/deep.html")


@pytest.mark.parametrize("place", PLACES)
def test_what_is_not_there_is_answered_by_a_page_that_leads_on(context, address, place):
    page, refused = context.new_page(), []
    page.on("requestfailed", lambda request: refused.append(request.url))
    page.on("response", lambda it: it.status >= 400 and refused.append(it.url))
    answer = page.goto(f"{address}/{place}", wait_until="load")
    assert answer.status == 404
    assert refused == [f"{address}/{place}"], "more than the page itself is missing"
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.querySelector('main').getBoundingClientRect().height") > 0
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") != "static"
    assert page.locator("meta[name=robots]").get_attribute("content") == "noindex"
    page.locator("#chapters a", has_text="Singular").first.click()
    assert page.url == f"{address}/svd.html"


@pytest.mark.parametrize("place", PLACES)
def test_it_searches(context, address, place):
    page = context.new_page()
    page.goto(f"{address}/{place}")
    box = page.locator("input[name=q]").first
    box.fill("momentum")
    box.press("Enter")
    page.wait_for_selector("#search-results li a")
    assert page.url.startswith(f"{address}/search.html?q=momentum")


def test_below_a_path_the_book_works_as_well(browser):
    """As on GitHub Pages, where a book has its repository's name before every page."""
    with served(HTML, "/gdla/") as below:
        context, refused = browser.new_context(), []
        page = context.new_page()
        page.on("response", lambda it: it.status >= 400 and refused.append(it.url))
        page.goto(f"{below}/descent.html")
        page.locator("#chapters a", has_text="Singular").first.click()
        page.wait_for_url(f"{below}/svd.html")
        box = page.locator("input[name=q]").first
        box.fill("momentum")
        box.press("Enter")
        page.wait_for_selector("#search-results li a")
        assert page.url.startswith(f"{below}/search.html")
        context.close()
        assert refused == []
