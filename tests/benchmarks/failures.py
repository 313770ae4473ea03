"""Failures over the gallery in every precision, and over random matrices: there should be none.

A failure is a result that is not accurate, or a refusal of a matrix that is not numerically
singular. A batch that is refused is halved until the matrices that cause it stand alone.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import gdla
from tests.benchmarks.accuracy import JUDGES, LIMIT
from tests.benchmarks.functions import OPTIONS
from tests.benchmarks.problems import seeded
from tests.library.matrices import DTYPES, GALLERY, cast

FUNCTIONS = ("svd", "eigh", "inv", "pinv", "solve")


@dataclass
class Count:
    """How many matrices were judged, found wrong, and left for want of time."""

    judged: int = 0
    wrong: int = 0
    left: int = 0


def count(random: int, seconds: float) -> Count:
    """Call each function on the gallery and on random matrices, for so many seconds at most."""
    found, late = Count(), time.perf_counter() + seconds
    for name in FUNCTIONS:
        for A in (*gallery_matrices(), *random_matrices(random)):
            if name in ("inv", "solve", "eigh") and A.shape[-2] != A.shape[-1]:
                A = A.mH @ A
            if name == "eigh":
                A = (A + A.mH) / 2
            judge(found, name, A, lambda: time.perf_counter() > late)
    return found


def judge(found: Count, name: str, A: Tensor, late: Callable[[], bool]) -> None:
    """Add a batch, of shape (k, m, n), to the count."""
    if late():
        found.left += len(A)
        return
    given = (A, A @ torch.ones(A.shape[-1], 1, dtype=A.dtype)) if name == "solve" else (A,)
    try:
        result: Any = getattr(gdla, name)(
            *given, callback=lambda *_: late(), **OPTIONS.get(name, {})
        )
    except Exception as error:
        if late():
            found.left += len(A)
        elif len(A) > 1:
            for half in A.split((len(A) + 1) // 2):
                judge(found, name, half, late)
        else:
            refused = isinstance(error, gdla.NotConverged) and name in ("inv", "solve")
            found.judged += 1
            found.wrong += not (refused and numerically_singular(A))
        return
    found.judged += len(A)
    # Written so that what is not a number counts as wrong.
    found.wrong += int((~(JUDGES[name](*given, result) < LIMIT)).sum())


def numerically_singular(A: Tensor) -> bool:
    """Whether rounding the entries of a matrix may make it singular."""
    S = torch.linalg.svdvals(A)
    return bool(S.min() <= A.shape[-1] * torch.finfo(A.dtype).eps * S.max())


def gallery_matrices() -> Iterator[Tensor]:
    """Yield the matrices of the library's tests in every precision, each as a batch of one."""
    for A in GALLERY.values():
        for dtype in DTYPES:
            yield cast(A, dtype).unsqueeze(0)


def random_matrices(number: int, kinds: int = 20) -> Iterator[Tensor]:
    """Yield so many square matrices in batches: Gaussian, and of conditions up to 1e6."""
    for kind in range(kinds):
        n, generator = 2 + kind // 2, seeded(kind)
        A = torch.randn(number // kinds, n, n, generator=generator, dtype=torch.float64)
        if kind % 2:
            U, V = torch.linalg.qr(A).Q, torch.linalg.qr(A.flip(0)).Q
            powers = -6 * torch.rand(len(A), 1, generator=generator, dtype=A.dtype)
            A = U * 10 ** (powers * torch.linspace(0, 1, n, dtype=A.dtype)).unsqueeze(-2) @ V.mT
        yield A
