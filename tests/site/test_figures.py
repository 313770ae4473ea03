"""Pictures are part of their page: they look as matplotlib drew them, and weigh little."""

import gzip
import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from extensions.figures.paths import shortened, simplified
from extensions.figures.themed import sheet, themed
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

pytestmark = pytest.mark.xdist_group("figures")

CLIPPED = """\
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 viewBox="0 0 90 90" version="1.1">
<metadata/>
<defs><style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>
<g id="figure_1"><g id="patch_1"><path d="M 0 0 L 9 0 L 9 9 z" style="fill: none"/></g>
<g style="fill: #1f2328" transform="translate(22.308203 25.756942) scale(0.11 -0.11)">
<defs><path id="Sans-14" d="M 1034.5 4250 L 12 0 z" transform="scale(0.015625)"/></defs>
<use xlink:href="#Sans-14" transform="translate(63.623047 0)"/></g>
<path d="M 1 2 L 3.123456 4" clip-path="url(#p1)" style="fill: none; stroke: #59636E"/></g>
<defs><clipPath id="p1"><rect x="1.004999" y="2" width="80.123456" height="70"/></clipPath></defs>
</svg>"""


@pytest.fixture(scope="module")
def drawn():
    letters = {}
    return themed(CLIPPED, "A line", "picture-1-", letters), letters


def places(data):
    pen = RecordingPen()
    parse_path(data, pen)
    return [point for _, points in pen.value for point in points]


def far(point, line):
    """Measure how far a point is from the nearest piece of a line."""

    def off(start, end):
        along = complex(*end) - complex(*start)
        to = complex(*point) - complex(*start)
        part = (to * along.conjugate()).real / abs(along) ** 2 if along else 0
        return abs(to - min(1, max(0, part)) * along)

    return min(off(*piece) for piece in pairwise(line))


def written(points):
    return "M " + "\nL ".join(f"{x:.6f} {y:.6f}" for x, y in points) + "\n"


CURVES = {
    "circle": [(50 + 40 * math.cos(t / 99), 50 + 40 * math.sin(t / 99)) for t in range(623)],
    "noise": [(t / 3, 50 + 40 * math.sin(1e5 * t * t)) for t in range(300)],
    "there and back": [(t % 70, t % 2 * 1e-4) for t in range(200)],
    "below one": [(-0.5, 0.25), (0.5, -0.25), (0.5, 0.75), (0.125, 0.75), (0, 0)],
}


@pytest.mark.parametrize("name", CURVES)
def test_a_line_stays_where_it_is_to_three_hundredths_of_a_point(name):
    before = CURVES[name]
    after = places(shortened(written(before), decimals=2, tolerance=2))
    assert max(far(point, after) for point in before) < 0.03
    assert max(far(point, before) for point in after) < 0.0072  # half a hundredth on both axes
    assert len(after) <= len(before)


def test_a_smooth_line_keeps_a_fraction_of_its_corners_and_of_its_bytes():
    before = written(CURVES["circle"])
    after = shortened(before, decimals=2, tolerance=2)
    assert 40 < len(places(after)) < len(CURVES["circle"]) / 4
    assert len(gzip.compress(after.encode())) < len(gzip.compress(before.encode())) / 10


def test_rounding_does_not_add_up_along_a_line():
    before = [(t * 0.0149, t**2 * 1e-5) for t in range(5000)]
    after = places(shortened(written(before), decimals=2, tolerance=0))
    assert after[-1] == pytest.approx(before[-1], abs=0.0051)


def test_curves_gaps_and_closed_lines_are_kept():
    data = "M 0 0 Q 1.5 2 3 4 C 1 1 2 2 9 9 z M 5 5 L 6.25 7 L 5 7 z L 1 1"
    pen, again = RecordingPen(), RecordingPen()
    parse_path(data, pen)
    parse_path(shortened(data, decimals=2, tolerance=2), again)
    assert [command for command, _ in again.value] == [command for command, _ in pen.value]
    assert places(shortened(data, decimals=2, tolerance=2)) == places(data)


@pytest.mark.parametrize("data", ["M 1 2 A 3 3 0 0 1 4.123456 5", "m 1.123456 2 l 3 4", ""])
def test_what_matplotlib_does_not_write_is_left_alone(data):
    assert shortened(data, decimals=2, tolerance=2) == data


def test_corners_that_are_needed_stay():
    line = [(0, 0), (100, 1), (200, 0), (300, 50), (400, 0)]
    assert simplified(line, 2) == [(0, 0), (200, 0), (300, 50), (400, 0)]
    assert simplified(line, 0) == line
    assert simplified(line[:1], 2) == line[:1]


def test_no_style_is_left_and_none_is_lost(drawn):
    root = ElementTree.fromstring(drawn[0])
    assert "style" not in drawn[0]
    assert root.get("stroke-linejoin") == "round"
    assert root.find(".//*[@clip-path]").get("stroke").startswith("var(--pst-color-text-muted")


def test_names_lead_home_and_scales_keep_their_digits(drawn):
    picture, letters = drawn
    assert set(re.findall(r'id="([^"]*)"', picture)) == {"picture-1-0"}
    assert 'clip-path="url(#picture-1-0)"' in picture
    assert 'href="#Sans-14"' in picture
    assert letters == {"Sans-14": 'transform="scale(0.015625)" d="m1034 4250l-1022-4250z"'}
    assert 'id="Sans-14"' in sheet(letters)
    assert "translate(22.31 25.76) scale(0.11 -0.11)" in picture
    assert 'width="80.12"' in picture


def test_what_is_not_drawn_is_gone(drawn):
    assert len(re.findall("<path", drawn[0])) == 1
    assert not re.search("metadata|figure_1|patch_1|version|xlink", drawn[0])


def test_letters_are_shared_unless_they_differ(drawn):
    letters = dict(drawn[1])
    again = themed(CLIPPED, "A line", "picture-2-", letters)
    assert letters == drawn[1]
    assert again == drawn[0].replace("picture-1-", "picture-2-")
    other = themed(CLIPPED.replace("L 12 0", "L 99 0"), "A line", "picture-3-", letters)
    assert letters == drawn[1]
    kept = re.search(r'<path [^>]*id="(picture-3-\d)"', other)
    assert f'href="#{kept[1]}"' in other
    assert "#Sans-14" not in other


CELL = """
```{{code-cell}} python3
---
mystnb:
  image:
    alt: {alt}
---
import matplotlib.pyplot as plt
import random
dice = random.Random(0)
fig, ax = plt.subplots()
ax.scatter(*[[dice.random() for _ in range({points})] for _ in "xy"], s=300{more})
ax.set_title("{alt}");
```
"""


@pytest.fixture(scope="module")
def built(new_book):
    book = new_book()
    cells = [
        CELL.format(alt="Eight thousand", points=8000, more=""),
        CELL.format(alt="As many pixels", points=8000, more=", rasterized=True"),
        CELL.format(alt="Few", points=10, more=""),
    ]
    book.write("page", "".join(cells))
    return book.build()


def test_a_picture_that_is_too_heavy_fails_the_build_and_says_what_to_do(built):
    assert built.code == 1
    (said,) = [line for line in built.said.splitlines() if "WARNING" in line]
    assert re.search(r"page\.md.*weighs \d\d kB compressed, and 30 kB are allowed", said)
    assert "rasterized=True" in said


def test_what_became_pixels_is_light_has_a_size_and_keeps_letters_and_words(built):
    page = built.page("page")
    pictures = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", page, re.S)
    heavy, pixels, few = (len(gzip.compress(text.encode(), 6)) for text in pictures)
    assert few < pixels < 30_000 < heavy
    (image,) = re.findall(r"<image[^>]*>", pictures[1])
    assert 'href="data:image/png;base64,' in image
    assert re.search(r' width="[\d.]+"', image)
    assert re.search(r' height="[\d.]+"', image)
    assert 'aria-label="As many pixels"' in pictures[1]
    assert "var(--pst-color-text-base" in pictures[1]


def test_the_letters_of_a_page_stand_there_once(built):
    page = built.page("page")
    names = re.findall(r'\bid="([^"]*)"', page)
    assert len(names) == len(set(names))
    used = set(re.findall(r'href="#(DejaVu[^"]*)"', page))
    assert used
    assert used == {name for name in names if name.startswith("DejaVu")}
    assert page.count('<svg display="none">') == 1
