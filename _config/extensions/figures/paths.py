"""Write the data of a path in few characters.

matplotlib writes each corner of a line with six decimals, on a row of its own, and a level line has
a corner wherever it crosses the grid on which the loss was evaluated. A screen shows neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

Point = tuple[int, int]

COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")
SHORTER = re.compile(r"(?<=[a-z ])0(?=\.)|(?<=-)0(?=\.)| (?=-)")  # 0.5 is .5, and `1 -2` is 1-2
KNOWN = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0, "z": 0}  # letter: numbers that it takes


def shortened(data: str, decimals: int, tolerance: int) -> str:
    """Round a path, leave out corners that nobody sees, and write steps in place of coordinates.

    What matplotlib never writes, such as an arc, is given back as it came.

    Args:
        data: attribute `d` of a path.
        decimals: how many of a coordinate are kept.
        tolerance: how far a line may move where a corner goes, in units of the last decimal.
    """
    commands = []
    for letter, numbers in COMMAND.findall(data):
        values = [round(float(number) * 10**decimals) for number in numbers.split()]
        if len(values) != KNOWN.get(letter):
            return data
        commands.append((letter, list(zip(values[::2], values[1::2], strict=True))))
    text, before = "", ""
    for letter, values in _steps(_straightened(commands, tolerance)):
        # Without a letter the one before holds on.
        text += letter if letter != before or letter in "mz" else " "
        text += " ".join(f"{value / 10**decimals:.{decimals}f}" for value in values)
        before = letter
    if decimals:
        text = re.sub(r"\.?0+(?=[a-z -]|$)", "", text)
    return SHORTER.sub("", text)


def _straightened(
    commands: Sequence[tuple[str, list[Point]]], tolerance: int
) -> Iterator[tuple[str, list[Point]]]:
    """Leave out corners between lines, where they hardly differ from one line."""
    line: list[Point] = []
    start: list[Point] = []
    for letter, points in [*commands, ("", [])]:
        if letter == "L":
            line += points
            continue
        for corner in simplified(line, tolerance)[1:]:
            yield "L", [corner]
        start = points if letter == "M" else start
        line = points[-1:] or start  # a line that was closed goes on from its start
        if letter:
            yield letter, points


def simplified(line: list[Point], tolerance: int) -> list[Point]:
    """Leave out corners as Ramer, Douglas and Peucker do: none is farther off than `tolerance`."""
    kept, parts = {0, len(line) - 1}, [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        farthest, corner = max(
            ((_distance(line[i], line[first], line[last]), -i) for i in range(first + 1, last)),
            default=(0, 0),
        )
        if farthest > tolerance**2:
            kept.add(-corner)
            parts += [(first, -corner), (-corner, last)]
    return [point for number, point in enumerate(line) if number in kept]


def _distance(point: Point, start: Point, end: Point) -> float:
    """Square the distance of a point from a line that has two ends."""
    x, y = point[0] - start[0], point[1] - start[1]
    along, up = end[0] - start[0], end[1] - start[1]
    length = along * along + up * up
    part = min(1.0, max(0.0, (x * along + y * up) / length)) if length else 0.0
    return (x - part * along) ** 2 + (y - part * up) ** 2


def _steps(commands: Iterator[tuple[str, list[Point]]]) -> Iterator[tuple[str, list[int]]]:
    """Count each command from where the one before it ended: steps are shorter than places."""
    here = start = (0, 0)
    for letter, points in commands:
        if not points:
            yield "z", []
            here = start
            continue
        values = [value - here[axis] for point in points for axis, value in enumerate(point)]
        here = points[-1]
        if letter == "M":
            start = here
        if letter == "L" and 0 in values:
            yield ("h", values[:1]) if values[1] == 0 else ("v", values[1:])
        else:
            yield letter.lower(), values
