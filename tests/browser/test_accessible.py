"""axe finds nothing: no page, no theme, no width, and no state of what can be played with.

Asked are all its rules but those of level AAA: WCAG 2 A and AA, best practices, and those it calls
experimental, save one. focus-order-semantics wants each stop of the keyboard to be a control or a
landmark; a box that scrolls is neither, and fifty landmarks on a page would help nobody.

A machine sees a part only: what it cannot see, test_keyboard.py tries.
"""

from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.pages import DESK, HTML, PAGES, SCHEMES, UNFOLD, at_rest

NARROW = 360
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async ([place, contrast]) => {
  const levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const values = [...levels, "best-practice", "experimental"];
  const rules = {
    "focus-order-semantics": { enabled: false },
    "color-contrast": { enabled: contrast },
  };
  const options = { resultTypes: ["violations"], runOnly: { type: "tag", values }, rules };
  const { violations } = await axe.run(place ?? document, options);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${help}`));
}"""
PLAYED = "[data-explorable]"
# Every control at its end, at its start, and the other way round, by the keys that a reader has.
STATES = {
    "at their ends, switched": (
        ("input[type=range], [role=slider]", "End"),
        ("input[type=checkbox], [role=switch]", "Space"),
    ),
    "at their starts, pressed": (
        ("input[type=range], [role=slider]", "Home"),
        ("button", "Enter"),
    ),
}


def found(page, place=None, *, contrast=True):
    at_rest(page)
    return page.evaluate(RUN, [place, contrast])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit, address, name, scheme):
    page = visit(f"{address}/{name}.html", scheme=scheme)
    page.evaluate(UNFOLD)
    page.evaluate(AXE)
    faults = []
    for width in (DESK, NARROW):
        page.set_viewport_size({"width": width, "height": 800})
        # Colours cost most of the time and hang on no width, but for the bar that phones have.
        seen = found(page, contrast=width == DESK) + found(page, "header")
        faults += [f"{name}, {scheme}, {width}: {fault}" for fault in seen]
    assert not faults, "\n".join(faults)


def playing():
    """Name the pages on which something can be played with."""
    texts = {name: (HTML / f"{name}.html").read_text(encoding="utf-8") for name in PAGES}
    return [name for name, text in texts.items() if "data-explorable" in text]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", playing())
def test_axe_finds_nothing_in_any_state_of_what_can_be_played_with(visit, address, name, scheme):
    page = visit(f"{address}/{name}.html", scheme=scheme, width=NARROW)
    page.evaluate(AXE)
    faults, moved = [], 0
    for state, moves in STATES.items():
        for controls, key in moves:
            for control in page.locator(PLAYED).locator(controls).all():
                if control.is_visible() and control.is_enabled():
                    control.press(key)
                    moved += 1
        faults += [f"{name}, {scheme}, {state}: {fault}" for fault in found(page, PLAYED)]
    assert moved, "nothing could be moved"
    assert not faults, "\n".join(faults)


def test_axe_would_find_something(visit, address):
    page = visit(f"{address}/index.html")
    page.evaluate(AXE)
    page.evaluate("""() => {
      const main = document.querySelector("main");
      main.append(document.createElement("button"));
      main.append(new Image());
    }""")
    rules = {fault.partition(":")[0] for fault in found(page)}
    assert {"button-name", "image-alt"} <= rules
