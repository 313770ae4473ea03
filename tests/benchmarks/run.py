"""Measure gdla against torch.linalg: how many times slower, and how accurate?

Read the ratio. It compares two times of the same run, on one thread and in processor time, and so
carries over to other machines; seconds do not. Nothing here passes or fails. The numbers are also
kept in build/bench/results.json.
"""

import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import gdla

SIZES = (4, 16, 64)
CONDITIONS = (10.0, 1000.0)
REPEATS = 3
RESULTS = Path(__file__).parents[2] / "build" / "bench" / "results.json"


def scaled(error: Tensor, *factors: Tensor) -> float:
    """Divide an error by what rounding explains, as LAPACK's own tests do; they pass below 30."""
    scale = error.shape[-2] * torch.finfo(error.dtype).eps
    for factor in factors:
        scale *= factor.norm().item()
    return error.norm().item() / scale


def tasks(A: Tensor, B: Tensor) -> dict[str, tuple[Any, Any, Any]]:
    """Return, for each function, gdla's call, torch's call, and the scaled residual of a result."""
    I = torch.eye(len(A), dtype=A.dtype)
    return {
        "inv": (
            lambda: gdla.inv(A),
            lambda: torch.linalg.inv(A),
            lambda X: scaled(A @ X - I, A, X),
        ),
        "solve": (
            lambda: gdla.solve(A, B),
            lambda: torch.linalg.solve(A, B),
            lambda X: scaled(A @ X - B, A, X),
        ),
        "svd": (
            lambda: gdla.svd(A, full_matrices=False),
            lambda: torch.linalg.svd(A, full_matrices=False),
            lambda USV: scaled(A - USV[0] * USV[1] @ USV[2], A),
        ),
    }


def seconds(function: Callable[[], object]) -> float:
    """Return the median processor time of a call; short calls repeat till the clock sees them."""
    calls = 1
    while timed(function, calls) * calls < 5e-3:
        calls *= 2
    return statistics.median(timed(function, calls) for _ in range(REPEATS))


def timed(function: Callable[[], object], calls: int) -> float:
    """Return the mean processor time of some calls in a row."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def rows() -> list[dict[str, Any]]:
    """Measure every task at every size and condition; a descent that fails is a row like others."""
    found: list[dict[str, Any]] = []
    for n in SIZES:
        for condition in CONDITIONS:
            generator = torch.Generator().manual_seed(n)
            A = gdla.gallery.geometric(n, n, condition, generator=generator)
            B = torch.randn(n, 1, generator=generator, dtype=A.dtype)
            for name, (ours, theirs, judge) in tasks(A, B).items():
                row: dict[str, Any] = {"function": name, "n": n, "condition": condition}
                try:
                    row["residual"] = judge(ours())
                except gdla.NotConverged as failure:
                    row["failure"] = failure.solution.status.name
                else:
                    row["seconds"] = seconds(ours)
                    row["ratio"] = row["seconds"] / seconds(theirs)
                row["residual of torch"] = judge(theirs())
                found.append(row)
                print(line(row), flush=True)
    return found


def line(row: dict[str, Any]) -> str:
    """Format a row of the table."""
    start = f"{row['function']:<8}{row['n']:>5}{row['condition']:>11.0f}"
    if "failure" in row:
        return f"{start}{row['failure']:>22}{'':>10}{row['residual of torch']:>10.2g}"
    return (
        f"{start}{row['seconds'] * 1e3:>12.3g}{row['ratio']:>10.3g}"
        f"{row['residual']:>10.2g}{row['residual of torch']:>10.2g}"
    )


def main() -> None:
    """Print the table and keep it."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()}")
    print(f"{'':8}{'n':>5}{'condition':>11}{'ms':>12}{'ratio':>10}{'residual':>10}{'torch':>10}")
    results = {"torch": torch.__version__, "gdla": gdla.__version__, "rows": rows()}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
