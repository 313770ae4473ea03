"""What a closed-form gradient is, once it is measured in a better metric.

Steepest descent depends on how the length of a step is measured. In the right metric the hill is
round, and one step of length one leads to the bottom, or nearly. A metric measures a stack of
problems, its members, all at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from torch import Tensor

LIMIT = 30.0
"""The scaled residual below which LAPACK's own tests pass (LAPACK working note 41)."""


class Measured(NamedTuple):
    """What a metric finds at a point. The natural step is `unknown - gradient`."""

    loss: Tensor
    """The loss of each member, shape (batch,)."""
    gradients: tuple[Tensor, ...]
    """One for each unknown and of its shape, in the metric."""
    residual: Tensor
    """The scaled residual of each member, shape (batch,); rounding alone explains about 1.
    Infinite as long as it is not known; NaN gives a member up."""


class Metric(ABC):
    """A stack of problems of one kind; `gdla.minimize` takes it in the place of a loss."""

    @abstractmethod
    def start(self) -> tuple[Tensor, ...]:
        """Guess: the unknowns from which a descent shall begin, each of shape (batch, ...)."""

    @abstractmethod
    def __call__(self, *unknowns: Any, **nothing: Any) -> Measured:
        """Measure all members at the unknowns, tensors; called once before each step."""

    @abstractmethod
    def keep(self, members: Tensor) -> None:
        """Go on with some members alone; `members` is a mask of shape (batch,)."""
