"""The card that stands for the book where somebody shares a page of it, and a phone's icon.

On the card two descents on one loss: plain, and preconditioned as the library does it. Nothing on
it is typed that was measured: the numbers of steps are those of the run that is drawn.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

import gdla
from extensions.identity.valley import FAVICON, LEVEL, LOGO, MOMENTUM, Mark
from gdla import gallery, losses
from gdla.metrics import LIMIT, NewtonSchulz
from gdla.plots import COLOURS, GRID, INK, MUTED

PAPER = "#fdfcf9"
SIZE = (1200, 630)  # what every network shows whole
IDEA = ("Guess.", "Measure how wrong.", "Step downhill.")
# Fonts that come with matplotlib: the same card on every machine.
STYLE: Any = {"font.family": "STIXGeneral", "svg.fonttype": "path", "path.simplify": False}
LARGE: Any = {"size": 26, "color": INK}
SMALL: Any = {"size": 17, "style": "italic", "color": MUTED}
# The matrix of the chapter on preconditioning.
N, KAPPA, SEED = 8, 27.3, 8
Curve = list[float]


def race() -> tuple[Curve, Curve]:
    """Invert one matrix twice to the same accuracy; return how the loss fell, step by step."""
    A = gallery.geometric(N, N, KAPPA, generator=torch.Generator().manual_seed(SEED))
    I = torch.eye(N, dtype=A.dtype)
    start = A.mT / A.square().sum()
    unit = N * torch.finfo(A.dtype).eps * A.norm()

    def arrived(record: gdla.Record, X: Any) -> bool:
        """Whether the scaled residual is below the limit, on the worse side."""
        right = LIMIT * (unit * X.norm()).item()
        # The loss knows one side; the other is asked when that one is right.
        return bool((2 * record.loss) ** 0.5 < right and (X @ A - I).norm().item() < right)

    step = partial(torch.optim.SGD, lr=1.0)  # 1/L: the largest curvature of this loss is 1
    loss = losses.residual(A, I)
    plain = gdla.minimize(loss, start, optimizer=step, gtol=0, max_steps=50_000, callback=arrived)
    # A metric judges itself, by the same limit.
    fast = gdla.minimize(NewtonSchulz(A[None]), start[None], max_steps=100)
    if plain.status is not gdla.Status.INTERRUPTED or not fast.converged:
        raise RuntimeError(f"{plain.status.value} {fast.status.value}")
    return [record.loss for record in plain.history], [record.loss for record in fast.history]


def alt(plain: Curve, fast: Curve) -> str:
    """Say in words what the card shows."""
    return (
        f"{' '.join(IDEA)} Two descents invert the same matrix to the same accuracy: plain descent "
        f"in {len(plain) - 1:,} steps, preconditioned descent in {len(fast) - 1}."
    )


def card(title: str, plain: Curve, fast: Curve) -> Figure:
    """Draw the card."""
    figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
    mark(figure.add_axes((0.06, 0.70, 0.105, 0.20)), LOGO)
    text = partial(figure.text, 0.067, va="baseline")
    for line, words in enumerate(halves(title)):
        text(0.545 - 0.105 * line, words, fontsize=42, weight="bold", color=INK)
    for line, words in enumerate(IDEA):
        text(0.275 - 0.068 * line, words, fontsize=24, style="italic", color=MUTED)

    ax = figure.add_axes((0.58, 0.155, 0.345, 0.745), facecolor="none")
    for name, curve, place in ("plain", plain, "right"), ("preconditioned", fast, "left"):
        last, colour = len(curve) - 1, COLOURS[name]
        ax.plot(range(1, last + 1), curve[1:], color=colour, lw=4.5, solid_capstyle="round")
        ax.plot(last, curve[-1], "o", color=colour, ms=13, clip_on=False)
        for words, down, style in (f"{last:,} steps", 4, LARGE), (name, -17, SMALL):
            away = (16 if place == "left" else -16, down)
            offset: Any = {"ha": place, "xytext": away, "textcoords": "offset points"}
            ax.annotate(words, (last, curve[-1]), **offset, **style)
    decades = [10**k for k in range(math.ceil(math.log10(len(plain))))]
    ax.set(xscale="log", yscale="log", xlim=(0.8, 1.4 * len(plain)))
    ax.set_ylim(bottom=min(*plain, *fast) / 1e3)  # room for a name below the dot
    ax.set_xticks(decades, [f"{step:,}" for step in decades])
    ax.set_yticks([])
    ax.minorticks_off()
    ax.tick_params(length=0, labelsize=16, labelcolor=MUTED, pad=10)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(GRID)
    ax.set_ylabel("loss", **SMALL, labelpad=12)
    ax.set_xlabel("step", **SMALL, labelpad=6)
    return figure


def icon(size: int) -> Figure:
    """Draw the mark on paper, for the screen of a phone, which cuts the corners itself."""
    figure = Figure(figsize=(size / 100, size / 100), dpi=100, facecolor=PAPER)
    mark(figure.add_axes((0.11, 0.11, 0.78, 0.78)), FAVICON)
    return figure


def halves(title: str) -> list[str]:
    """Break a title into two lines, as equal as its words allow; none ends in a short word."""
    words = title.split()
    breaks = [k for k in range(1, len(words)) if len(words[k - 1]) > 3]
    lines = [[" ".join(words[:k]), " ".join(words[k:])] for k in breaks]
    return min(lines, key=lambda pair: max(map(len, pair)), default=[title])


def mark(ax: Axes, drawn: Mark) -> None:
    """Draw the mark as its SVG shows it, on axes that are square."""
    half = drawn.size / 2
    pixels = ax.figure.bbox.width * ax.get_position().width
    unit = pixels / drawn.size * 72 / ax.figure.dpi  # points
    for a, b in drawn.levels():
        turned: Any = {"angle": -drawn.turn, "fill": False, "linewidth": drawn.line * unit}
        ax.add_patch(Ellipse((half, half), 2 * a, 2 * b, edgecolor=LEVEL, **turned))
    across, down = zip(*drawn.path(), strict=True)
    round_ends: Any = {"solid_capstyle": "round", "solid_joinstyle": "round"}
    ax.plot(across, down, color=MOMENTUM, linewidth=drawn.width * unit, **round_ends)
    ax.add_patch(Ellipse((half, half), 2 * drawn.dot, 2 * drawn.dot, color=MOMENTUM, zorder=3))
    ax.set(xlim=(0, drawn.size), ylim=(drawn.size, 0), aspect="equal")
    ax.axis("off")
