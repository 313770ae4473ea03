"""The book's mark: the level lines of a valley, and a descent to its bottom.

The descent is one that the library makes, not one that somebody drew: favicon, logo and the icon of
a phone change when it does. The valley is the loss of two unknowns with two curvatures, turned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

import gdla
from gdla.plots import COLOURS

# A method has its colour, as everywhere in the book (gdla.plots.COLOURS); level lines are grey. In
# an image neither can follow the page's theme: both stand out from white and from the dark page.
MOMENTUM, LEVEL = COLOURS["momentum"], "#7d8590"
# On a tab the browser says what is around; there the ball is lighter in the dark.
DARK_MOMENTUM, DARK_LEVEL = "#ff8f3f", "#9198a1"


@dataclass(frozen=True)
class Mark:
    """A valley and a descent in it, in a square of this size.

    Attributes:
        curvatures: the largest and the smallest.
        turn: angle of the direction of least curvature, in degrees, counter-clockwise.
        start: where the descent begins, along the steep and the flat direction.
        lr: the learning rate.
        momentum: of the ball; 0 is plain descent.
        steps: how many are drawn.
        through: the points of the path that a level line goes through.
        width: of the path.
        line: width of the level lines.
        dot: radius of the ball at the bottom.
        size: of the square, whose middle is the bottom.
    """

    curvatures: tuple[float, float]
    turn: float
    start: tuple[float, float]
    lr: float
    momentum: float
    steps: int
    through: tuple[int, ...]
    width: float = 3.2
    line: float = 2.2
    dot: float = 2.8
    size: int = 32

    def loss(self, x: Tensor) -> Tensor:
        """How high a place lies, given along the steep and the flat direction."""
        return 0.5 * (x.new_tensor(self.curvatures) * x * x).sum()

    def walked(self) -> list[Tensor]:
        """Descend, and return the places, the first and the last included."""
        places: list[Tensor] = []

        def note(record: gdla.Record, x: Any) -> None:
            places.append(x.clone())

        solution = gdla.minimize(
            self.loss,
            torch.tensor(self.start, dtype=torch.float64),
            optimizer=partial(torch.optim.SGD, lr=self.lr, momentum=self.momentum),
            max_steps=self.steps,
            gtol=0,
            callback=note,
        )
        return [*places, cast(Tensor, solution.value)]

    def path(self) -> list[tuple[float, float]]:
        """Return the descent in the square, whose second coordinate grows downwards."""
        cosine, sine = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        points = []
        for steep, flat in (place.tolist() for place in self.walked()):
            across, up = flat * cosine - steep * sine, flat * sine + steep * cosine
            points.append((self.size / 2 + across, self.size / 2 - up))
        return points

    def levels(self) -> list[tuple[float, float]]:
        """Return half the length and half the width of the level lines, the outermost first."""
        places = self.walked()
        heights = [self.loss(places[k]).item() for k in self.through]
        steep, flat = self.curvatures
        return [(math.sqrt(2 * h / flat), math.sqrt(2 * h / steep)) for h in heights]

    def svg(self, *, tab: bool = False) -> str:
        """Write the mark as SVG.

        Args:
            tab: whether it stands in a browser's tab, where it follows the system's theme.
        """
        half = self.size / 2
        begin, *rest = [f"{x:.2f} {y:.2f}" for x, y in self.path()]
        dark = f".w{{stroke:{DARK_MOMENTUM}}}.l{{stroke:{DARK_LEVEL}}}.b{{fill:{DARK_MOMENTUM}}}"
        style = f"<style>@media(prefers-color-scheme:dark){{{dark}}}</style>\n" if tab else ""
        lines = "".join(f'<ellipse rx="{a:.2f}" ry="{b:.2f}"/>' for a, b in self.levels())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.size} {self.size}"'
            f' width="{self.size}" height="{self.size}" fill="none" stroke-linejoin="round"'
            f' stroke-linecap="round">\n{style}'
            f'<g class="l" stroke="{LEVEL}" stroke-width="{self.line}"'
            f' transform="translate({half:g} {half:g}) rotate({-self.turn:g})">{lines}</g>\n'
            f'<path class="w" stroke="{MOMENTUM}" stroke-width="{self.width}"'
            f' d="M{begin}L{" ".join(rest)}"/>\n'
            f'<circle class="b" fill="{MOMENTUM}" cx="{half:g}" cy="{half:g}" r="{self.dot}"/>\n'
            "</svg>\n"
        )


FAVICON = Mark((1.0, 0.45), -32, (7.5, -10), 0.2, 0.68, 14, (0, 3))
LOGO = Mark((1.0, 0.4), -30, (14, -20), 0.1, 0.8, 40, (0, 3, 4, 6), line=1.6, dot=3.8, size=64)
