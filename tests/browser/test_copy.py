"""What the buttons put into the clipboard is, byte for byte, what `nox -s snippets` runs."""

import pytest

from tests.browser.conftest import HTML
from tests.programs.taken import chosen, programs

PAGES: dict[str, list] = {}
for taken in programs():
    PAGES.setdefault(taken.name.rpartition("-")[0], []).append(taken)


def opened(context, address, name):
    """Open a page with all that is folded unfolded; collect what goes wrong in it."""
    page = context.new_page()
    page.errors = []
    page.on("console", lambda message: message.type == "error" and page.errors.append(message.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(f"{address}/{name}.html", wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(part => (part.open = true))")
    return page


def clipboard(page):
    return page.evaluate("navigator.clipboard.readText()")


def test_there_are_pages_with_programs():
    assert "svd" in PAGES


@pytest.mark.parametrize("name", chosen(PAGES))
def test_each_button_copies_its_program(context, address, name):
    page = opened(context, address, name)
    buttons = page.locator(".program button")
    assert buttons.count() == len(PAGES[name])
    for number, program in enumerate(PAGES[name]):
        buttons.nth(number).click()
        assert clipboard(page) == program.text
        file = HTML.parent / "programs" / f"{program.name}.py"
        assert file.read_bytes() == program.text.encode(), "nox -s snippets wrote another one"
    assert page.errors == []


def test_a_button_says_what_it_did_and_works_by_keyboard(context, address):
    page = opened(context, address, "descent")
    button = page.locator(".program button").nth(1)
    size = page.locator(".program span").nth(1)
    before = size.text_content()
    button.focus()
    page.keyboard.press("Enter")
    assert size.text_content() == "copied"
    assert clipboard(page) == PAGES["descent"][1].text
    size.filter(has_text=before).wait_for()


def test_the_cell_alone_can_still_be_copied(context, address):
    page = opened(context, address, "descent")
    cell = page.locator("div.cell").nth(1)
    alone = cell.get_by_label("Copy this cell only")
    cell.hover()
    alone.click()
    copied = clipboard(page)
    assert PAGES["descent"][1].text.endswith("\n\n" + copied.strip() + "\n")
    assert copied.strip() == cell.locator(".cell_input pre").text_content().strip()


def test_without_scripts_no_dead_button_is_shown(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/descent.html")
    assert page.locator(".program button:visible").count() == 0
    assert page.locator(".program span:visible").count() > 0
    context.close()


def test_buttons_work_without_a_server(context):
    page = context.new_page()
    page.goto((HTML / "index.html").as_uri(), wait_until="load")
    page.locator(".program button").first.click()
    page.keyboard.press("Tab")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<textarea id=paste>')")
    page.locator("#paste").focus()
    page.keyboard.press("Control+V")
    assert page.locator("#paste").input_value() == PAGES["index"][0].text
