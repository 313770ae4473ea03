"""Pictures in one style: convergence, landscapes, matrices. Needs the extra `plots`.

A method has the same colour on every page, distinguishable for colour-blind readers (Okabe and
Ito 2008), and the same dash, so that a grey print can be read. Several runs of one method share its
colour and differ by dash. What is no method, such as a matrix, is drawn in grey.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gdla.solution import Record, Solution

try:
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap
except ImportError:
    raise ImportError("gdla.plots needs matplotlib; pip install 'gdla[plots]'") from None

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID = "#1f2328", "#59636e", "#d1d9e0"
COLOURS = {
    "plain": "#0072b2",
    "momentum": "#d55e00",
    "adam": "#009e73",
    "lbfgs": "#cc79a7",
    "preconditioned": "#e69f00",
    "conjugate": "#56b4e9",
}
DASHES: dict[str, Any] = {
    "plain": "solid",
    "momentum": (0, (6, 1.5)),
    "adam": (0, (1.5, 1.5)),
    "lbfgs": (0, (6, 1.5, 1.5, 1.5)),
    "preconditioned": (0, (9, 2)),
    "conjugate": (0, (3, 1)),
}
FURTHER: Any = ["solid", (0, (1, 1)), (0, (4, 2, 1, 2, 1, 2)), (0, (8, 3))]
"""Dashes of the second, third, ... run of a method, and of the first, ... of what is no method."""
STYLE: Any = {
    "figure.figsize": (6.4, 3.8),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": "medium",
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "font.size": 11,
}


@contextmanager
def axes(columns: int = 1, rows: int = 1, **options: Any) -> Iterator[Any]:
    """Open a figure in the book's style; yield its axes, or an array of them.

    Args:
        columns, rows: number of axes side by side, and below each other.
        **options: passed to `matplotlib.pyplot.subplots`.
    """
    with plt.rc_context(STYLE):
        if columns > 1 or rows > 1:
            height = 3.6 if rows == 1 else 2.6 * rows
            options.setdefault("figsize", (6.4 + 1.8 * (columns - 1), height))
        _, made = plt.subplots(rows, columns, layout="constrained", **options)
        yield made
        plt.show()


def convergence(
    runs: Mapping[str, Solution | Sequence[Record] | Sequence[float]],
    *,
    methods: Mapping[str, str] | None = None,
    predicted: Mapping[str, float] | None = None,
    against: str = "step",
    log: bool = False,
    ylabel: str = "loss",
    ax: Axes | None = None,
) -> None:
    """Draw how loss or error falls, on a log axis, with the predicted slope beside the measured.

    Args:
        runs: label -> solution, its history, or one number for each step.
        methods: label -> key of `COLOURS`; labels that are such keys need none.
        predicted: label -> predicted factor per step *of the quantity drawn*; drawn as a thin
            line of that slope a little above the run's. Straight only without `log`.
        against: "step", or "seconds" where all runs have a history.
        log: make the other axis logarithmic, too; the start, at zero, is then left out.
        ylabel: what is drawn.
        ax: axes to draw on; None opens a figure and shows it.
    """
    if ax is None:
        with axes() as ax:
            return convergence(
                runs,
                methods=methods,
                predicted=predicted,
                against=against,
                log=log,
                ylabel=ylabel,
                ax=ax,
            )
    styles = _styles(runs, methods or {})
    for label, run in runs.items():
        values, places = _losses(run), _places(run, against)
        first = 1 if log else 0
        ax.plot(places[first:], values[first:], label=label, **styles[label])
        if label in (predicted or {}):
            _slope(ax, values, (predicted or {})[label], styles[label]["color"])
    ax.set_yscale("log")
    if log:
        ax.set_xscale("log")
    ax.set_xlabel(against)
    ax.set_ylabel(ylabel)
    ax.legend()


def landscape(
    loss: Callable[[Tensor], Tensor],
    paths: Mapping[str, Sequence[Tensor]] | None = None,
    *,
    methods: Mapping[str, str] | None = None,
    x: tuple[float, float] = (-1.0, 1.0),
    y: tuple[float, float] = (-1.0, 1.0),
    levels: int = 14,
    ax: Axes | None = None,
) -> None:
    """Draw the level lines of a loss of two unknowns, and the paths of descents on it.

    Args:
        loss: callable of a tensor of shape (2,) to a scalar tensor.
        paths: label -> points of shape (2,).
        methods: label -> key of `COLOURS`; labels that are such keys need none.
        x, y: ranges shown.
        levels: number of level lines, equally spaced in the square root of the height above the
            lowest point shown.
        ax: axes to draw on; None opens a figure and shows it.
    """
    if ax is None:
        with axes() as ax:
            return landscape(loss, paths, methods=methods, x=x, y=y, levels=levels, ax=ax)
    across, up = torch.linspace(*x, 121), torch.linspace(*y, 121)
    grid = torch.cartesian_prod(up, across).flip(-1)
    heights = torch.stack([loss(point) for point in grid]).reshape(121, 121)
    lowest, highest = heights.min().item(), heights.max().item()
    steps = lowest + torch.linspace(0, math.sqrt(highest - lowest), levels + 1)[1:] ** 2
    ax.contour(across, up, heights, levels=steps.unique(), colors=MUTED, linewidths=0.6)
    styles = _styles(paths or {}, methods or {})
    for label, path in (paths or {}).items():
        points = torch.stack(list(path))
        style = styles[label] | {"marker": ".", "markersize": 4, "linewidth": 1.2}
        ax.plot(points[:, 0], points[:, 1], label=label, **style)
    ax.set(xlim=x, ylim=y)
    ax.grid(visible=False)
    if paths:
        ax.legend()


def matrices(pictures: Mapping[str, Tensor]) -> None:
    """Draw matrices side by side, each entry a square: blue below zero, red above, zero clear.

    Args:
        pictures: title -> matrix of shape (m, n).
    """
    limit = max(A.abs().max().item() for A in pictures.values()) or 1.0
    count = len(pictures)
    with axes(count, figsize=(6.4, 0.4 + 6.0 / max(count, 2))) as made:
        for ax, (title, A) in zip([made] if count == 1 else made, pictures.items(), strict=True):
            ax.imshow(A.detach().cpu().numpy(), cmap=_signs(), vmin=-limit, vmax=limit)
            ax.set(title=title, xticks=[], yticks=[])
            ax.grid(visible=False)


def _signs() -> Any:
    """Blue, nothing, red: nothing rather than white, so that the page shows, light or dark."""
    blue, red = (0.13, 0.40, 0.67), (0.70, 0.09, 0.17)
    ends = [(*blue, 1.0), (*blue, 0.0), (*red, 0.0), (*red, 1.0)]
    return LinearSegmentedColormap.from_list(
        "signs", list(zip((0, 0.5, 0.5, 1), ends, strict=True))
    )


def _styles(labels: Iterable[str], methods: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Give each label the colour of its method, and a dash that nobody else has in this picture."""
    styles: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = {}
    for label in labels:
        method = methods.get(label, label)
        family = method if method in COLOURS else ""
        rank = seen[family] = seen.get(family, -1) + 1
        if family:
            dashes = [DASHES[method], *(dash for dash in FURTHER if dash != DASHES[method])]
            colour = COLOURS[method]
        else:
            dashes, colour = FURTHER, (INK, MUTED)[rank % 2]
        styles[label] = {"color": colour, "linestyle": dashes[rank % len(dashes)]}
    return styles


def _places(run: Solution | Sequence[Record] | Sequence[float], against: str) -> Sequence[float]:
    """Where along the horizontal axis the values of a run stand."""
    records = run.history if isinstance(run, Solution) else run
    if against == "step":
        return [r.step if isinstance(r, Record) else k for k, r in enumerate(records)]
    if against != "seconds":
        raise ValueError(f"against must be 'step' or 'seconds', got {against!r}")
    if not all(isinstance(r, Record) for r in records):
        raise ValueError("seconds are noted in a history only; pass a solution, or its history")
    return [r.seconds for r in records if isinstance(r, Record)]


def _losses(run: Solution | Sequence[Record] | Sequence[float]) -> list[float]:
    records = run.history if isinstance(run, Solution) else run
    return [r.loss if isinstance(r, Record) else float(r) for r in records]


def _slope(ax: Axes, values: list[float], factor: float, colour: str | None) -> None:
    last = next((k for k, v in enumerate(values) if not v > 1e-12 * values[0]), len(values)) - 1
    start = last // 3
    ends = [start, last]
    level = 4 * values[start]
    ax.plot(
        ends,
        [level * factor ** (k - start) for k in ends],
        color=colour,
        linewidth=0.9,
        linestyle=(0, (1, 2)),
    )
