"""One peer against gdla: who is accurate, and after how long?

A peer reports where it is. The watch stops while a report is judged, and ends the walk when it is
accurate, late, or has not come nearer for long. Whatever else ends it is a row that says why.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from tests.benchmarks.accuracy import LIMIT
from tests.benchmarks.clock import Clock

PATIENCE = 0.4  # the share of its budget that a peer may spend without coming nearer


class Enough(Exception):
    """A peer need not go on; says why, unless it has arrived."""


class Watch:
    """Time a peer, and judge what it reports.

    Args:
        judge: gives the scaled residual of a guess.
        budget: seconds after which a peer is late, judging included.
    """

    def __init__(
        self, judge: Callable[..., Tensor], budget: float, now: Clock = time.process_time
    ) -> None:
        self.judge, self.budget, self.now = judge, budget, now
        self.seconds, self.residual = 0.0, float("inf")
        self._best_at, self._judging, self._start = 0.0, 0.0, now()

    def __call__(self, *guess: Tensor, stop: bool = True) -> None:
        """Take a report; `stop=False` lets an accurate peer walk on."""
        before = self.now()
        self.seconds = before - self._start - self._judging
        residual = self.judge(*guess).max().item()
        spent = self.now() - self._start
        self._judging += self.now() - before
        if residual < 0.99 * self.residual:
            self.residual, self._best_at = residual, spent
        if stop and residual < LIMIT:
            raise Enough
        if spent > self.budget * (1 if stop else 2):  # who ends by himself is given longer
            raise Enough("out of time")
        if stop and not spent - self._best_at < PATIENCE * self.budget:
            raise Enough("no nearer for long")


@contextmanager
def counted_svds() -> Iterator[list[str]]:
    """List the calls of a ready-made SVD that happen inside."""
    calls: list[str] = []

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **options: Any) -> Any:
            calls.append(name)
            return function(*given, **options)

        return counted

    with ExitStack() as stack:
        for library in (np.linalg, torch.linalg):
            for name in ("svd", "svdvals", "eigh", "eig"):
                if function := getattr(library, name, None):
                    patch = mock.patch.object(library, name, counting(name, function))
                    stack.enter_context(patch)
        yield calls


def run(
    peer: Callable[[Tensor, Watch], None],
    A: Tensor,
    judge: Callable[..., Tensor],
    budget: float,
    now: Clock = time.process_time,
) -> dict[str, Any]:
    """Let a peer walk; return its seconds, its residual and how it came to an end."""
    watch, note, whole = Watch(judge, budget, now), "", False
    with counted_svds() as calls:
        try:
            peer(A, watch)
            whole = True
        except Enough as reason:
            note = str(reason)
        except ImportError as missing:
            note = f"not installed: {missing.name}"
        except Exception as error:
            note = f"failed: {type(error).__name__}: {error}".splitlines()[0]
    reached = watch.residual < LIMIT
    if not reached and not note:
        note = "ended without the accuracy"
    return {
        "seconds": watch.seconds,
        "residual": watch.residual,
        "reached": reached,
        "whole": whole,
        "svd inside": bool(calls),
        "note": note,
    }
