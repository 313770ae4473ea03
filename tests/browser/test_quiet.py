"""No request leaves the site, and no page complains: over http and from a folder alike.

The fixture `visit` listens, and fails these tests: see conftest.py.
"""

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import watched
from tests.browser.pages import HTML, PAGES, UNFOLD, WALK


def wandered(page):
    """Do what a reader does who wants to see everything."""
    page.evaluate(UNFOLD)
    page.evaluate(WALK)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("name", PAGES)
def test_served_a_page_asks_its_own_origin_only_and_has_nothing_to_complain_of(
    visit, address, name
):
    wandered(visit(f"{address}/{name}.html"))


@pytest.mark.parametrize("name", PAGES)
def test_from_a_folder_a_page_asks_for_files_only_and_has_nothing_to_complain_of(visit, name):
    page = visit((HTML / f"{name}.html").as_uri())
    wandered(page)
    sheets = page.evaluate("Array.from(document.styleSheets, sheet => sheet.href)")
    assert any(sheet and sheet.startswith("file:") for sheet in sheets), "it has no style"


@pytest.mark.parametrize(
    "fault",
    [
        "console.error('a fault')",
        "console.warn('a doubt')",
        "setTimeout(() => undefined_name)",
        "fetch('https://example.org/').catch(() => {})",
        "fetch('nowhere.json').catch(() => {})",
    ],
)
def test_what_listens_hears(browser, address, fault):
    context, heard = browser.new_context(bypass_csp=True), []
    watched(context, address, heard)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    assert heard == []
    page.evaluate(f"() => {{ {fault} }}")
    page.wait_for_timeout(200)
    context.close()
    assert heard


def test_there_is_no_way_out(context):
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        context.new_page().goto("https://example.org/")
