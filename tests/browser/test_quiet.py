"""No request leaves the site, and no page complains: over http and from a folder alike.

The fixture `visit` listens, whatever a test looks for (see conftest.py): served, every page is seen
from its top to its end by test_stable.py.
"""

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import watched
from tests.browser.pages import HTML, PAGES, UNFOLD, WALK


@pytest.mark.parametrize("name", PAGES)
def test_from_a_folder_a_page_asks_for_files_only_and_has_nothing_to_complain_of(visit, name):
    page = visit((HTML / f"{name}.html").as_uri())
    page.evaluate(UNFOLD)
    page.evaluate(WALK)
    page.wait_for_load_state("networkidle")
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
