"""axe finds nothing: no page, no theme, no width, and no state of what can be played with.

Asked are all its rules but those of level AAA: WCAG 2 A and AA, best practices, and those it calls
experimental, save one. focus-order-semantics wants each stop of the keyboard to be a control or a
landmark; a box that scrolls is neither, and fifty landmarks on a page would help nobody.

A machine sees a part only: what it cannot see, test_keyboard.py tries.
"""

import itertools
from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.pages import DESK, DRAWN, HTML, PAGES, SCHEMES, UNFOLD, at_rest

NARROW = 360
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = """async ([place, rules]) => {
  const levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const values = [...levels, "best-practice", "experimental"];
  rules["focus-order-semantics"] = { enabled: false };
  const options = { resultTypes: ["violations"], runOnly: { type: "tag", values }, rules };
  const { violations } = await axe.run(place ?? document, options);
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${help}`));
}"""
# A page has thousands of words and a few dozen looks: the colour of the letters and of what lies
# below them, their size, weight and opacity. axe takes 4 ms for a word, so it judges one of each.
COLOURS = """async () => {
  const known = new Map();
  const below = (part) => {
    if (!part) return ["", ""];
    if (!known.has(part)) {
      const [ground, faint] = below(part.parentElement);
      const { backgroundColor, opacity } = getComputedStyle(part);
      const clear = /^rgba.*, 0\\)$/.test(backgroundColor);
      const fainter = opacity === "1" ? faint : `${faint} ${opacity}`;
      known.set(part, [clear ? ground : backgroundColor, fainter]);
    }
    return known.get(part);
  };
  const looks = new Map();
  for (const part of document.body.querySelectorAll("*")) {
    const words = [...part.childNodes].some((it) => it.nodeType === 3 && it.data.trim());
    if (!words || !part.checkVisibility()) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(part);
    const look = [color, fontSize, fontWeight, ...below(part)].join();
    if (!looks.has(look)) looks.set(look, part);
  }
  const include = [...looks.values()];
  const { violations } = await axe.run({ include }, { runOnly: ["color-contrast"] });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")}: ${help}`));
}"""
# Of six thousand coloured words of code, one of each kind stays what it is; the others become text.
BARE = """() => {
  const known = new Set();
  for (const word of document.querySelectorAll("pre span:not(:has(*))")) {
    const kind = `${word.className} ${word.closest("[class*=highlight-], .output")?.className}`;
    if (known.has(kind)) word.replaceWith(...word.childNodes);
    known.add(kind);
  }
}"""
NO_COLOURS = {"color-contrast": {"enabled": False}}
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


def found(page, place=None, **rules):
    # axe reads the page once, at its start: by then shell.js must have seen which boxes scroll.
    page.evaluate(DRAWN)
    at_rest(page)
    return page.evaluate(RUN, [place, rules])


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(visit, address, name):
    page = visit(f"{address}/{name}.html")
    page.evaluate(UNFOLD)
    page.evaluate(AXE)
    page.evaluate(BARE)
    faults = []
    for scheme, width in itertools.product(SCHEMES, (DESK, NARROW)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        seen = found(page, **NO_COLOURS) + page.evaluate(COLOURS)
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
    page.evaluate(BARE)
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


def test_axe_would_find_a_word_that_is_hard_to_read(visit, address):
    page = visit(f"{address}/tensors.html")
    page.evaluate(AXE)
    page.evaluate("""() => {
      const words = [...document.querySelectorAll("main p")].at(-1);
      words.style.color = "#aaa";
    }""")
    assert any(fault.startswith("color-contrast: ") for fault in page.evaluate(COLOURS))
