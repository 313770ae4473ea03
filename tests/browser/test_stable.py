"""Nothing moves by itself: nothing shifts in a page, and for who wants none there is no motion."""

import pytest

from tests.browser.pages import DESK, FRAMES, PAGES, PHONE, WALK, until

# Goal: none. A glyph that is replaced when its font arrives may move a line by parts of a pixel.
TOLERANCE = 0.01
SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.nodeName);
      shifts.push({ value, moved });
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
MOVING = """() => {
  const second = (time) => parseFloat(time) * (time.includes("ms") ? 0.001 : 1);
  const seconds = (list) => Math.max(...list.split(",").map(second));
  return Array.from(document.querySelectorAll("*"))
    .flatMap((element) => ["", "::before", "::after"].map((part) => [element, part]))
    .filter(([element, part]) => {
      const style = getComputedStyle(element, part || null);
      return seconds(style.transitionDuration) > 0.01
        || (style.animationName !== "none" && seconds(style.animationDuration) > 0.01)
        || style.scrollBehavior === "smooth";
    })
    .map(([element, part]) => `${element.tagName}.${element.className}${part}`);
}"""


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_shifts_while_a_page_loads_and_is_scrolled(visit, address, name, width):
    page = visit(f"{address}/{name}.html", width=width, first=SHIFTS)
    page.evaluate(WALK)
    page.wait_for_load_state("networkidle")
    shifts = page.evaluate("shifts")
    assert sum(shift["value"] for shift in shifts) < TOLERANCE, shifts


def test_a_shift_would_be_seen(visit, address):
    page = visit(f"{address}/descent.html", first=SHIFTS)
    page.wait_for_timeout(600)  # what a reader's own click moves is no shift, for half a second
    page.evaluate("document.querySelector('article p').style.marginTop = '300px'")
    until(page, "shifts.length > 0")
    assert sum(shift["value"] for shift in page.evaluate("shifts")) > TOLERANCE


@pytest.mark.parametrize("name", FRAMES)
def test_nothing_moves_for_those_who_want_no_motion(visit, address, name):
    page = visit(f"{address}/{name}.html", reduced_motion="reduce")
    assert page.evaluate(MOVING) == []
    assert page.evaluate("document.getAnimations().length") == 0
