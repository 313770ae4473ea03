"""The goals: a bound, what was measured, met or missed.

Each goal measures a ratio within one run. One that could not be measured is missed, and says why.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from gdla import gallery
from tests.benchmarks.failures import count
from tests.benchmarks.functions import Effort, Row, compare
from tests.benchmarks.problems import seeded


class Missed(Exception):
    """A goal that could not be measured, and why."""


@dataclass(frozen=True)
class Goal:
    """What is measured, the bound, and on which side of it we want to be."""

    name: str
    side: str  # "at most" or "at least"
    bound: float
    measure: Callable[[Effort, Sequence[Row]], float]

    def row(self, effort: Effort, rows: Sequence[Row]) -> Row:
        """Measure; `rows` are those of the other tables."""
        row: Row = {"table": "goals", "goal": self.name, "side": self.side, "bound": self.bound}
        try:
            ratio = self.measure(effort, rows)
        except Missed as reason:
            return row | {"ratio": None, "met": False, "note": str(reason)}
        return row | {"ratio": ratio, "met": self.holds(ratio), "note": ""}

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is on the right side."""
        return ratio <= self.bound if self.side == "at most" else ratio >= self.bound


def slower(name: str, *given: torch.Tensor, effort: Effort) -> float:
    """Time of gdla in times of torch.linalg."""
    row = compare(name, *given, matrix="", effort=effort)
    if row.get("note"):
        raise Missed(row["note"])
    return row["ratio"]


def svd_of(m: int, n: int, condition: float) -> Callable[[Effort, Sequence[Row]], float]:
    """Time the SVD of a matrix of geometric spectrum."""
    return lambda effort, _: slower(
        "svd", gallery.geometric(m, n, condition, generator=seeded(1)), effort=effort
    )


def svd_of_gaussian(effort: Effort, _: Sequence[Row]) -> float:
    """Time the SVD of a Gaussian matrix."""
    A = torch.randn(200, 100, generator=seeded(1), dtype=torch.float64)
    return slower("svd", A, effort=effort)


def inverse_of(n: int, condition: float) -> Callable[[Effort, Sequence[Row]], float]:
    """Time the inverse of a matrix of geometric spectrum."""
    return lambda effort, _: slower(
        "inv", gallery.geometric(n, n, condition, generator=seeded(1)), effort=effort
    )


def batch(name: str) -> Callable[[Effort, Sequence[Row]], float]:
    """Time a function of ten thousand small matrices at once."""
    A = torch.randn(10_000, 4, 4, generator=seeded(1), dtype=torch.float64)
    return lambda effort, _: slower(name, A, effort=effort)


def definite(effort: Effort, _: Sequence[Row]) -> float:
    """Time torch's solution of a large definite system in times of gdla's."""
    n, generator = 3000, seeded(1)
    W = torch.randn(n, n, generator=generator, dtype=torch.float64)
    # Wigner's semicircle: the eigenvalues of the second term fill [-2, 2].
    A = 3 * torch.eye(n, dtype=W.dtype) + (W + W.T) / math.sqrt(2 * n)
    B = torch.randn(n, 1, generator=generator, dtype=W.dtype)
    return 1 / slower("solve", A, B, effort=effort)


def faster_than_original(_: Effort, rows: Sequence[Row]) -> float:
    """Compare with the whole walk of the original on its first matrix."""
    (row,) = [r for r in rows if r["table"] == "peers" and is_first(r) and is_original(r)]
    if not row["whole"]:
        raise Missed("the original did not come to the end of its 20,000 steps")
    return 1 / accurate(row, below=1)["ratio"]


def faster_than_best(matrix: str, below: float) -> Callable[[Effort, Sequence[Row]], float]:
    """Compare with the fastest peer that reaches the accuracy."""

    def measure(_: Effort, rows: Sequence[Row]) -> float:
        able = [r for r in rows if r["table"] == "peers" and r["matrix"].startswith(matrix)]
        able = [r for r in able if r["function"] == "svd" and r["reached"]]
        if not able:
            raise Missed("no peer reached the accuracy")
        return min(1 / accurate(row, below)["ratio"] for row in able)

    return measure


def accurate(row: Row, below: float) -> Row:
    """Return a row of the peers in which gdla is accurate."""
    if "ratio" not in row:
        raise Missed(row["note"])
    if not row["residual"] < below:
        raise Missed(f"the scaled residual is {row['residual']:.2g}, not below {below}")
    return row


def is_first(row: Row) -> bool:
    """Whether a row is about the original's first matrix."""
    return row["matrix"].startswith("5 × 4") and row["function"] == "svd"


def is_original(row: Row) -> bool:
    """Whether a row is about the original's loop."""
    return row["against"] == "the original, by hand"


def growth(name: str) -> Callable[[Effort, Sequence[Row]], float]:
    """Divide the steps at n = 512 by those at n = 16."""

    def measure(_: Effort, rows: Sequence[Row]) -> float:
        steps = {}
        for row in rows:
            if row["table"] == "torch" and row["function"] == name and row["threads"] == 1:
                if row.get("note"):
                    raise Missed(f"n = {row['n']}: {row['note']}")
                steps[row["n"]] = row["steps"]
        return steps[512] / steps[16]

    return measure


def failures(effort: Effort, _: Sequence[Row]) -> float:
    """Count wrong results and refusals that nothing excuses."""
    found = count(effort.random, 4 * effort.patience)
    if found.left:
        raise Missed(f"{found.left} were not judged in time; {found.wrong} failures before")
    return float(found.wrong)


SVD, INV = "svd, time in times of torch's: ", "inv, time in times of torch's: "
GOALS: tuple[Goal, ...] = (
    Goal(SVD + "200 × 100, condition 1e3", "at most", 6, svd_of(200, 100, 1e3)),
    Goal(SVD + "500 × 200, condition 1e3", "at most", 6, svd_of(500, 200, 1e3)),
    Goal(SVD + "200 × 100, Gaussian", "at most", 10, svd_of_gaussian),
    Goal("svd, 5 × 4: faster than the original", "at least", 5_000, faster_than_original),
    Goal("svd, 5 × 4: faster than the best peer", "at least", 30, faster_than_best("5 × 4", 1)),
    Goal(
        "svd, 200 × 100: faster than the best peer",
        "at least",
        40,
        faster_than_best("200 × 100", 30),
    ),
    Goal(INV + "256 × 256, condition 1e1", "at most", 8, inverse_of(256, 1e1)),
    Goal(INV + "256 × 256, condition 1e3", "at most", 12, inverse_of(256, 1e3)),
    Goal(INV + "256 × 256, condition 1e6", "at most", 20, inverse_of(256, 1e6)),
    Goal(SVD + "10,000 of 4 × 4 in one batch", "at most", 1, batch("svd")),
    Goal(INV + "10,000 of 4 × 4 in one batch", "at most", 5, batch("inv")),
    Goal("solve, definite, 3000 × 3000: faster than torch", "at least", 4, definite),
    Goal("svd, steps at n = 512 in times of those at n = 16", "at most", 1.5, growth("svd")),
    Goal("inv, steps at n = 512 in times of those at n = 16", "at most", 1.5, growth("inv")),
    Goal("failures over the gallery and random matrices", "at most", 0, failures),
)


def table(effort: Effort, rows: Sequence[Row]) -> Iterator[Row]:
    """Measure every goal; `rows` are those of the other tables."""
    return (goal.row(effort, rows) for goal in GOALS)
