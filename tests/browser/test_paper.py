"""On paper a page is its text: dark on white, without what only a screen can use."""

import re

import pytest

from tests.browser.pages import PAGES

# The ways around the page, and whatever wants a click.
USELESS = (
    "button, input, select, dialog, nav, [popover], [role=search], .bar, .side, .skip, "
    ".program, .take-along, .headerlink, [data-explorable]"
)
SEEN = """(useless) => Array.from(document.querySelectorAll(useless))
  .filter((part) => part.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((part) => `${part.tagName}.${part.className}`)"""
# The lightness, 0 to 255, of each text's ink and of the paper below it.
INKS = """() => {
  const light = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[0-9.]+/g).map(Number);
    return { light: 0.2126 * red + 0.7152 * green + 0.0722 * blue, alpha };
  };
  const paper = (element) => {
    for (let below = element; below; below = below.parentElement) {
      const it = light(getComputedStyle(below).backgroundColor);
      if (it.alpha > 0.5) return it.light;
    }
    return 255;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode;
    if (!data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest("script, style, noscript, .visually-hidden")) continue;
    const ink = light(getComputedStyle(element).color).light;
    const below = paper(element);
    const name = `${element.tagName}.${element.getAttribute("class")}`;
    if (below < 225 || ink > 140) found.push(`${name} ${ink} on ${below}: ${data.slice(0, 40)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_there_is_dark_text_on_white_and_nothing_to_click(visit, address, name):
    page = visit(f"{address}/{name}.html", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(SEEN, USELESS) == []
    assert page.evaluate(INKS) == []


def test_pictures_are_drawn_in_dark_ink(visit, address):
    page = visit(f"{address}/descent.html", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.locator("svg[role=img]").evaluate_all(
        "all => all.map(picture => getComputedStyle(picture).color)"
    )
    assert colours
    for colour in colours:
        assert max(map(float, re.findall(r"[0-9.]+", colour)[:3])) < 140, colour


def test_a_chapter_becomes_a_document(visit, address):
    page = visit(f"{address}/descent.html", scheme="dark")
    paper = page.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper))
    assert 5 < pages < 60
