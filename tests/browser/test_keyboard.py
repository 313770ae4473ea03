"""Whoever has a keyboard only reaches everything, and sees where they are."""

import pytest

from tests.browser.pages import DESK, DRAWN, FRAMES, PHONE, UNFOLD, at_rest

# Where the focus is, whether that can be seen, and whether something lies upon it.
STOP = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const look = () => {
    // A ring may be drawn by what is around, or, in a picture, within.
    const parts = [element.parentElement, element, ...element.querySelectorAll(":scope > circle")];
    return parts.map((part) => {
      const style = getComputedStyle(part);
      const none = style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1;
      const outline = none ? "none" : style.outlineColor;
      return [outline, style.boxShadow, style.stroke, style.strokeWidth].join();
    }).join(";");
  };
  const focused = look();
  const box = element.getBoundingClientRect();
  const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const covered = !above || !(element.contains(above) || above.contains(element));
  element.dataset.visited = "";
  element.blur();
  const seen = focused !== look();
  element.focus({ preventScroll: true, focusVisible: true });
  const words = element.ariaLabel || element.textContent.trim().slice(0, 40);
  const name = `${element.tagName}.${element.getAttribute("class")}: ${words}`;
  return { seen, covered, inside: right > left && bottom > top, name };
}"""
UNVISITED = """() => Array.from(document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']"))
  .filter((it) => it.checkVisibility({ visibilityProperty: true }))
  .filter((it) => it.tabIndex >= 0 && !it.disabled && !("visited" in it.dataset))
  .filter((it) => it.type !== "radio" || it.checked)
  .map((it) => `${it.tagName}.${it.getAttribute("class")}: ${it.textContent.slice(0, 40)}`)"""


def focused(page, what):
    return page.evaluate(f"document.activeElement.matches({what!r})")


def dark(page):
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, colour[4:-1].split(",")[:3])) < 200


@pytest.mark.parametrize("name", FRAMES)
def test_the_first_stop_leads_to_the_text_and_is_seen(visit, address, name):
    page = visit(f"{address}/{name}.html")
    if name == "search":  # its box has the focus when it opens
        page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    page.evaluate(DRAWN)
    at_rest(page)
    stop = page.evaluate(STOP)
    assert "Skip to main content" in stop["name"]
    assert stop["seen"]
    assert stop["inside"]
    assert not stop["covered"]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('main')"), "Tab goes on elsewhere"


@pytest.mark.parametrize(("name", "width"), [("descent", PHONE), ("svd", DESK), ("api", DESK)])
def test_tab_visits_everything_and_the_stop_is_seen(visit, address, name, width):
    page = visit(f"{address}/{name}.html", width=width, reduced_motion="reduce")
    page.evaluate(UNFOLD)
    page.evaluate(DRAWN)
    stops = []
    for _ in range(2000):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            break
        stops.append(stop)
    assert len(stops) > 20
    assert [stop["name"] for stop in stops if not stop["seen"]] == [], "no sign of the focus"
    assert [stop["name"] for stop in stops if not stop["inside"]] == [], "out of the window"
    assert [stop["name"] for stop in stops if stop["covered"]] == [], "something lies upon it"
    assert page.evaluate(UNVISITED) == []


def test_the_switch_of_the_theme_works_and_is_remembered(visit, address):
    page = visit(f"{address}/index.html", scheme="light")
    switch = page.get_by_role("button", name="Colour")
    looks = set()
    for _ in range(3):
        switch.press("Enter")
        looks.add((dark(page), switch.get_attribute("aria-label")))
        if dark(page):
            page.goto(f"{address}/descent.html")
            assert dark(page), "forgotten on the next page"
    assert len({label for _, label in looks}) == 3, "it says what it shows"
    assert len({is_dark for is_dark, _ in looks}) == 2


@pytest.mark.parametrize("key", ["/", "Control+k"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_key_leads_to_the_search(visit, address, width, key):
    page = visit(f"{address}/descent.html", width=width)
    page.keyboard.press(key)
    assert focused(page, "input[name=q]")
    assert page.evaluate(STOP)["inside"]
    page.keyboard.type("momentum")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=momentum*")
    page.wait_for_selector("#search-results li a")


def test_on_a_phone_the_chapters_open_close_and_give_the_focus_back(visit, address):
    page = visit(f"{address}/descent.html", width=PHONE)
    opener, links = page.get_by_role("button", name="Chapters"), page.locator("#chapters a")
    assert not links.first.is_visible()
    opener.press("Enter")
    links.first.wait_for(state="visible")
    page.keyboard.press("Tab")
    assert focused(page, "#chapters *"), "Tab leads into what was opened"
    page.keyboard.press("Escape")
    links.first.wait_for(state="hidden")
    assert opener.evaluate("it => it === document.activeElement"), "the focus is lost"
    opener.press("Enter")
    link = page.locator("#chapters").get_by_role("link", name="Singular").first
    link.press("Enter")
    page.wait_for_url("**/svd.html")
    assert not links.first.is_visible()
