"""Each function of gdla beside its namesake in torch.linalg: time, accuracy, steps.

A row has the time of gdla's function divided by the other's under "ratio". What did not arrive,
or ran out of time, is a row as well, and says so under "note".
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import gdla
from tests.benchmarks.accuracy import JUDGES, LIMIT
from tests.benchmarks.clock import medians, threads
from tests.benchmarks.problems import CONDITION, arguments, described, seeded

OPTIONS: dict[str, dict[str, Any]] = {"svd": {"full_matrices": False}}
JUDGED_BY_LAPACK = ("svdvals", "eigvalsh")

Row = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much a run takes upon itself."""

    repeats: int = 5
    sizes: tuple[int, ...] = (4, 8, 16, 32, 64, 128, 256, 512)
    some_sizes: tuple[int, ...] = (4, 32, 256)
    large_sizes: tuple[int, ...] = (256, 512)  # where a second thread has something to do
    budget: float = 12.0  # seconds for a peer
    patience: float = 60.0  # seconds for a call of gdla
    random: int = 10_000  # matrices among which failures are counted


QUICK = Effort(
    repeats=3,
    sizes=(4, 16, 64, 512),
    some_sizes=(4, 64),
    large_sizes=(512,),
    budget=1.5,
    patience=5.0,
    random=1_000,
)


def namesake(name: str) -> Callable[..., Any]:
    """Return torch's function of that name; for the polar factors, the way to them by its svd."""
    if name != "polar":
        return getattr(torch.linalg, name)

    def polar(A: Tensor) -> tuple[Tensor, Tensor]:
        U, S, Vh = torch.linalg.svd(A, full_matrices=False)
        return U @ Vh, Vh.mH * S @ Vh

    return polar


def attempt(name: str, *given: Tensor, patience: float) -> tuple[Any, int, str]:
    """Call a function of gdla once; return result, steps and, if there is no result, why."""
    steps, start = [0], time.perf_counter()

    def watch(record: gdla.Record, _: object) -> bool:
        steps.append(record.step + 1)  # the one that follows
        return time.perf_counter() - start > patience

    try:
        result = getattr(gdla, name)(*given, callback=watch, **OPTIONS.get(name, {}))
    except gdla.NotConverged as failure:
        late = failure.solution.status is gdla.Status.INTERRUPTED
        return (
            None,
            steps[-1],
            "out of time" if late else f"refused: {failure.solution.status.name}",
        )
    except Exception as error:  # a fault of the library, which shall not cost us the other rows
        return None, steps[-1], f"failed: {type(error).__name__}"
    return result, steps[-1], ""


def compare(
    name: str, *given: Tensor, matrix: str, effort: Effort, count: int = 1, unit: float = 0.0
) -> Row:
    """Measure a function of gdla and its namesake on the same arguments.

    Args:
        name: of the function.
        *given: its arguments.
        matrix: what they are, in words.
        effort: how often to repeat and when to give up.
        count: number of threads.
        unit: seconds in which costs are given; 0 leaves them out.
    """
    options, judge = OPTIONS.get(name, {}), JUDGES[name]
    ours, theirs = getattr(gdla, name), namesake(name)
    row: Row = {
        "table": "torch",
        "function": name,
        "matrix": matrix,
        "n": given[0].shape[-1],
        "against": f"torch.linalg.{'svd' if name == 'polar' else name}",
        "threads": count,
    }
    if name not in JUDGED_BY_LAPACK:
        row["residual of the other"] = judge(*given, theirs(*given, **options)).max().item()
    with threads(count) as now:
        result, steps, note = attempt(name, *given, patience=effort.patience)
        if note:
            return row | {"steps": steps, "note": note}
        residual = judge(*given, result).max().item()
        mine, other = medians(
            lambda: ours(*given, **options),
            lambda: theirs(*given, **options),
            repeats=effort.repeats,
            now=now,
        )
    row |= {"steps": steps, "residual": residual, "ratio": mine / other}
    if not residual < LIMIT:
        row["note"] = f"wrong: its scaled residual is not below {LIMIT}"
    return row | ({"cost": mine / unit, "cost of the other": other / unit} if unit else {})


def table(effort: Effort) -> Iterator[Row]:
    """Measure every function over the sizes, and two of them with two threads."""
    square = torch.randn(256, 256, generator=seeded(0), dtype=torch.float64)
    with threads(1) as now:
        (unit,) = medians(lambda: square @ square, repeats=2 * effort.repeats, now=now)
    for name in JUDGES:
        for n in effort.sizes if name in ("svd", "inv") else effort.some_sizes:
            given = arguments(name, n)
            matrix = described(given[0], CONDITION)
            yield compare(name, *given, matrix=matrix, effort=effort, unit=unit)
            if name in ("svd", "inv") and n in effort.large_sizes:
                yield compare(name, *given, matrix=matrix, effort=effort, count=2)
