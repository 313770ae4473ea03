"""What a reader takes from the finished pages: programs, and what their cells print and draw."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup
from fontTools.pens.recordingPen import RecordingPen
from fontTools.svgLib.path import parse_path

HTML = Path(__file__).parents[2] / "build" / "html"
# Where time is short, as in .ci/run, pages are named, and what is long is done for them alone.
NAMED = [page for page in os.environ.get("GDLA_SITE_PAGES", "").split(",") if page]

# What the cell drew: not the chart of an explorable that stands above it.
STILL = ".cell_output svg[role=img]:not(.explorable *)"


@dataclass(frozen=True)
class Program:
    """What a button copies, and what the page shows below it.

    Attributes:
        name: PAGE-NN, the number that of the cell.
        text: what lies in the clipboard.
        cell: how many of its lines, at the end, are the cell's own.
        printed: what the page shows that the cell printed.
        pictures: those that the page shows below the cell, as SVG.
        varies: whether they hang on a clock or on rounding, as the tag `varies` says.
    """

    name: str
    text: str
    cell: int
    printed: str
    pictures: tuple[str, ...]
    varies: bool = False

    @property
    def lines(self) -> int:
        return sum(bool(line.strip()) for line in self.text.splitlines())


def programs(html: Path = HTML) -> Iterator[Program]:
    """Read the pages, in the order of their names."""
    for page in sorted(html.rglob("*.html")):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for number, button in enumerate(soup.select(".program button"), start=1):
            cell = button.find_parent(class_="cell")
            own = cell.select_one(".cell_input pre").text
            yield Program(
                name=f"{page.relative_to(html).with_suffix('').as_posix()}-{number:02d}",
                text=button["data-clipboard-text"],
                cell=sum(bool(line.strip()) for line in own.splitlines()),
                printed="".join(pre.text for pre in cell.select(".cell_output pre")),
                pictures=tuple(map(str, cell.select(STILL))),
                varies="tag_varies" in cell["class"],
            )


def chosen(names: Iterable[str]) -> list[str]:
    """Return the pages that are named, in the order of their names; all of them if none is."""
    return sorted(name for name in names if not NAMED or name in NAMED)


NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d[\d,_]*)(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])|[-+]?\d+\.\d+")
ROUNDING = 1e-11  # what is smaller than this, compared with one, may be rounding and differ


def difference(ours: str, theirs: str, *, rtol: float = 1e-6, atol: float = ROUNDING) -> str | None:
    """Say where two texts differ in more than the last digits of their numbers.

    Args:
        ours, theirs: texts; runs of white space count as one.
        rtol: of a number, relative to the larger of both.
        atol: numbers that are both smaller are equal.
    """
    pairs = [(" ".join(text.split()), NUMBER.findall(text)) for text in (ours, theirs)]
    (left, mine), (right, other) = pairs
    if NUMBER.sub("#", left) != NUMBER.sub("#", right):
        return f"{ours.strip()}\n--- is not ---\n{theirs.strip()}"
    for a, b in zip(mine, other, strict=True):
        x, y = (float(number.replace(",", "").replace("_", "")) for number in (a, b))
        if abs(x - y) > max(atol, rtol * max(abs(x), abs(y))):
            return f"{a} is not {b} in\n{ours.strip()}"
    return None


PATH = re.compile(r'(?<= d=")[^"]*')


def spread(svg: str) -> str:
    """Write the paths of a picture of the page as matplotlib does: in places, one by one.

    There they are steps from place to place, and `1-.5` are two numbers.
    """

    def places(path: re.Match[str]) -> str:
        pen = RecordingPen()
        parse_path(path[0], pen)
        return " ".join(
            " ".join([command, *(f"{value:.2f}" for point in points for value in point)])
            for command, points in pen.value
        )

    return PATH.sub(places, svg)
