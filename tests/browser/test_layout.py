"""Every page fits its window, wide and narrow, light and dark; pictures hold what they label.

What is wider scrolls in a box of its own, which the keyboard reaches.
"""

import pytest

from tests.browser.pages import DESK, DRAWN, PAGES, PHONE, SCHEMES, UNFOLD

# What could be seen, and juts out of the window without a box of its own to scroll in. Whatever is
# moved out of sight on purpose must be hidden from the keyboard, too, and is then not counted.
OUTSIDE = """() => {
  const boxed = (element) => {
    for (let box = element; box !== document.body; box = box.parentElement) {
      if (!box) return true;
      if (box !== element && getComputedStyle(box).overflowX !== "visible") return true;
    }
    return false;
  };
  const seen = { visibilityProperty: true, opacityProperty: true };
  return Array.from(document.body.querySelectorAll("*"))
    .filter((element) => element.checkVisibility(seen))
    .filter((element) => !element.closest("svg") || element.tagName === "svg")
    .filter((element) => {
      const { left, right, width, height } = element.getBoundingClientRect();
      return width > 1 && height > 1 && (left < -1 || right > innerWidth + 1) && !boxed(element);
    })
    .map((it) => `${it.tagName}.${it.getAttribute("class")}: ${it.textContent.slice(0, 60)}`);
}"""

# Boxes that scroll sideways, and those among them that no Tab reaches. A browser may let Tab reach
# them by itself, others do not: that the page says so is asked.
UNREACHED = """() => Array.from(document.querySelectorAll("main *"))
  .filter((box) => box.checkVisibility({ visibilityProperty: true }))
  .filter((box) => ["auto", "scroll"].includes(getComputedStyle(box).overflowX))
  .filter((box) => box.scrollWidth > box.clientWidth)
  .filter((box) => box.tabIndex < 0 || !box.role || !box.ariaLabel)
  .map((box) => `${box.tagName}.${box.className}: ${box.textContent.trim().slice(0, 60)}`)"""
# Signs that are not cut on purpose (a curve may leave its axes, and is clipped there). The box of a
# text reaches above and below its ink, by a sixth of its height and more.
CUT = """() => Array.from(document.querySelectorAll("svg[role=img]"), (picture) => {
  const box = picture.getBoundingClientRect();
  return Array.from(picture.querySelectorAll("text, use"))
    .filter((sign) => !sign.closest("[clip-path], defs"))
    .map((sign) => sign.getBoundingClientRect())
    .filter((sign) => sign.width > 0)
    .filter((sign) => sign.left < box.left - 1 || sign.right > box.right + 1
      || sign.top < box.top - sign.height / 6 || sign.bottom > box.bottom + sign.height / 6)
    .map(() => picture.getAttribute("aria-label"));
}).flat()"""

BACKGROUND = """() => {
  const parts = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  return parts.slice(0, 3).reduce((sum, part) => sum + part, 0) / 3;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_juts_out_of_the_window_in_either_theme(visit, address, name):
    page = visit(f"{address}/{name}.html")
    page.evaluate(UNFOLD)
    page.evaluate("document.fonts.ready.then(() => {})")
    light = {}
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(DRAWN)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{scheme}: the page is {wide} wide in a window of {width}"
            assert page.evaluate(OUTSIDE) == [], f"{scheme}, {width}"
            assert set(page.evaluate(CUT)) == set(), f"{scheme}, {width}: cut pictures"
            light[scheme] = page.evaluate(BACKGROUND)
        assert page.evaluate(UNREACHED) == [], f"{width}: no stop of the keyboard"
    assert light["light"] > 200 > 60 > light["dark"], light


def test_a_box_that_begins_to_scroll_becomes_a_stop(visit, address):
    page = visit(f"{address}/descent.html", width=2000)
    page.set_viewport_size({"width": 320, "height": 800})
    page.evaluate(DRAWN)
    assert page.evaluate(UNREACHED) == []
    assert page.locator("main pre[tabindex='0']").count() > 0


def test_these_checks_see_a_fault(visit, address):
    page = visit(f"{address}/descent.html", width=PHONE)
    assert page.evaluate(OUTSIDE) == page.evaluate(CUT) == []
    page.evaluate("""() => {
      const line = document.querySelector("article p");
      line.style.width = "500px";
      for (const sign of document.querySelectorAll("svg[role=img] :is(text, use)"))
        sign.setAttribute("transform", "translate(-900, 0)");
    }""")
    assert page.evaluate(OUTSIDE)
    assert page.evaluate(CUT)
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE
