"""The book's mark is a descent that the library makes, and is seen on every ground."""

import io
import itertools
import math
import re
import struct
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
import torch
from books import IDENTITY
from extensions import identity
from extensions.identity import card, valley
from matplotlib.text import Text

SVG = "{http://www.w3.org/2000/svg}"
MARKS = [valley.FAVICON, valley.LOGO]
WHITE, DARK = identity.COLOURS["light"], identity.COLOURS["dark"]


def luminance(colour):
    """The relative luminance of WCAG 2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mark", MARKS)
def test_each_step_is_one_of_the_heavy_ball(mark):
    places = mark.walked()
    assert len(places) == mark.steps + 1
    curvatures = torch.tensor(mark.curvatures, dtype=torch.float64)
    before = places[0]
    for here, after in itertools.pairwise(places):
        expected = here + mark.momentum * (here - before) - mark.lr * curvatures * here
        assert torch.allclose(after, expected, rtol=1e-13, atol=1e-13)
        before = here


@pytest.mark.parametrize("mark", MARKS)
def test_the_descent_begins_on_the_rim_and_ends_within_the_ball(mark):
    places = mark.walked()
    assert places[-1].norm() < mark.dot
    steep, flat = places[0].tolist()
    length, width = mark.levels()[0]
    assert (flat / length) ** 2 + (steep / width) ** 2 == pytest.approx(1)


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_leaves_the_square(mark):
    half = mark.size / 2
    turn = math.radians(mark.turn)
    for length, width in mark.levels():
        across = math.hypot(length * math.cos(turn), width * math.sin(turn))
        up = math.hypot(length * math.sin(turn), width * math.cos(turn))
        assert max(across, up) + mark.line / 2 <= half
    for x, y in mark.path():
        assert mark.width / 2 <= min(x, y) <= max(x, y) <= mark.size - mark.width / 2


@pytest.mark.parametrize("tab", [False, True])
@pytest.mark.parametrize("mark", MARKS)
def test_the_image_needs_nothing_but_itself(mark, tab):
    text = mark.svg(tab=tab)
    root = ElementTree.fromstring(text)
    assert {e.tag.removeprefix(SVG) for e in root.iter()} - {"style"} == {
        *("svg", "g", "ellipse", "path", "circle")
    }
    assert "href" not in text
    assert "url(" not in text
    assert ' style="' not in text
    assert root.get("width") == root.get("height") == str(mark.size)
    assert ("prefers-color-scheme" in text) == tab
    assert text == mark.svg(tab=tab)
    points = root.find(f"{SVG}path").get("d")
    assert len(re.findall(r"-?\d+\.\d\d -?\d+\.\d\d", points)) == mark.steps + 1


def test_the_mark_is_seen_on_light_and_dark():
    for colour in valley.MOMENTUM, valley.LEVEL:
        assert min(contrast(colour, WHITE), contrast(colour, DARK)) > 3
    for colour in valley.DARK_MOMENTUM, valley.DARK_LEVEL:
        assert contrast(colour, DARK) > 6


def drawn(plain, fast):
    made, file = card.card("A long title of words", plain, fast), io.BytesIO()
    made.savefig(file, metadata={"Software": None})
    return {text.get_text() for text in made.findobj(Text)}, file.getvalue()


def test_what_the_card_says_was_counted():
    plain, fast = [0.99**k for k in range(1235)], [0.01**k for k in range(8)]
    with mpl.rc_context(card.STYLE):
        words, picture = drawn(plain, fast)
        assert (words, picture) == drawn(plain, fast)
    assert {"1,234 steps", "plain", "7 steps", "preconditioned", *card.IDEA} <= words
    assert {"A long title", "of words"} <= words
    assert struct.unpack(">II", picture[16:24]) == card.SIZE
    said = card.alt(plain, fast)
    assert re.findall(r"\d[\d,]*\d|\d", said) == ["1,234", "7"]


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Linear algebra by gradient descent", ["Linear algebra", "by gradient descent"]),
        ("Matrices", ["Matrices"]),
        ("All of it", ["All of it"]),
    ],
)
def test_no_line_of_the_title_ends_in_a_short_word(title, lines):
    assert card.halves(title) == lines


@pytest.fixture(scope="module")
def build(new_book):
    book = new_book()
    book.write("page", "Words.")
    return book.build()


def test_every_page_names_its_icons(build):
    assert build.code == 0, build.said
    for name in "index", "page", "search", "genindex", "404":
        text = build.page(name)
        for icon in "favicon.svg", "apple-touch-icon.png":
            assert len(re.findall(rf"<link [^>]*_static/{icon}", text)) == 1, name
        for theme, colour in identity.COLOURS.items():
            media = f"(prefers-color-scheme: {theme})"
            assert f'<meta name="theme-color" media="{media}" content="{colour}">' in text
        logo = re.search(r"<img [^>]*_static/logo\.svg[^>]*>", text)[0]
        assert 'width="64" height="64" alt=""' in logo, name


def test_the_pictures_have_their_sizes_and_are_small(build):
    folder = build.html / "_static"
    for name, size, most in ("card", (1200, 630), 100_000), ("apple-touch-icon", (180, 180), 9000):
        data = (folder / f"{name}.png").read_bytes()
        assert struct.unpack(">II", data[16:24]) == size
        assert len(data) < most
    assert (folder / "favicon.svg").read_text() == valley.FAVICON.svg(tab=True)
    assert (folder / "logo.svg").read_text() == valley.LOGO.svg()
    assert not (folder / identity.WORDS).exists()


def test_the_card_shows_twenty_thousand_steps_and_a_dozen(build):
    (kept,) = (file for file in IDENTITY.glob(f"*/{identity.WORDS}"))
    plain, fast = re.findall(r"in ([\d,]+)", kept.read_text())
    assert 19_800 < int(plain.replace(",", "")) < 20_200
    assert 8 <= int(fast) <= 13
