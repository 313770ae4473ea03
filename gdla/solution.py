"""What a descent returns: plain, frozen data."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

Value = Tensor | tuple[Tensor, ...]


class Status(enum.Enum):
    """Why a descent stopped. Each member's value is a sentence that says what to do."""

    CONVERGED = (
        "The gradient fell to gtol, or the residual that a metric measures to rounding: use the "
        "value, after checking its residual."
    )
    STALLED = (
        "Neither loss nor gradient fell any more: this is as far as rounding, or a constant "
        "step, allows. Check the residual; a smaller learning rate or float64 may go further."
    )
    EXHAUSTED = (
        "The steps ran out while the loss was still falling: raise max_steps, or choose the "
        "learning rate and momentum that gdla.curvature suggests."
    )
    DIVERGED = (
        "The loss grew beyond its start: lower the learning rate below 2 / (largest "
        "curvature); gdla.curvature computes that bound."
    )
    INTERRUPTED = (
        "The callback or the keyboard stopped the descent: the value is the last one reached; "
        "pass it as init to go on."
    )


class Record(NamedTuple):
    """One line of the history, taken *before* a step so that its numbers belong together."""

    step: int
    """Steps taken so far."""
    loss: float
    """The loss there."""
    gradient_norm: float
    """The Euclidean norm of the gradient there, over all tensors together."""
    seconds: float
    """Wall-clock seconds since the descent began."""


Callback = Callable[[Record, Value], object]
"""Called before each step with the record and the value; True stops the descent."""


@dataclass(frozen=True, repr=False)
class Solution:
    """The end of a descent: `loss` and `gradient_norm` are those of `value`."""

    value: Value
    """The minimiser found, with the structure of `init`."""
    status: Status
    """Why the descent stopped."""
    history: tuple[Record, ...] = field(compare=False)
    """One record before each step, and one for the value returned."""
    residual: Tensor | None = field(default=None, compare=False)
    """The scaled residual of each member, shape (batch,), where a metric measured it."""

    @property
    def converged(self) -> bool:
        """Whether the gradient reached `gtol`, or in a metric the residual rounding level."""
        return self.status is Status.CONVERGED

    @property
    def steps(self) -> int:
        """The number of steps taken."""
        return self.history[-1].step

    @property
    def loss(self) -> float:
        """The loss at `value`."""
        return self.history[-1].loss

    @property
    def gradient_norm(self) -> float:
        """The norm of the gradient at `value`."""
        return self.history[-1].gradient_norm

    def __repr__(self) -> str:
        """Say in one line how it ended; the value and the history may be large."""
        return (
            f"Solution({self.status.name} after {self.steps} steps, loss {self.loss:.3g}, "
            f"gradient norm {self.gradient_norm:.3g})"
        )


class NotConverged(torch.linalg.LinAlgError):  # type: ignore[name-defined]
    """A descent ended above the accuracy that its function promises. Carries the solution."""

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution

    def __reduce__(self) -> tuple[type[NotConverged], tuple[str, Solution]]:
        """Let it cross from one process to another with its solution."""
        return type(self), (str(self), self.solution)
