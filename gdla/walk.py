"""What all public functions share: the keywords, and the way to an answer that may be returned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from torch import Tensor

from gdla import checks
from gdla.descent import OptimizerFactory, minimize
from gdla.losses import Loss
from gdla.metrics import LIMIT, Metric
from gdla.solution import Callback, NotConverged, Record, Solution, Status, Value

if TYPE_CHECKING:
    from typing import Unpack

Shown = Callable[[tuple[Tensor, ...]], Value]
"""Maps the unknowns of a metric to what the caller asked for."""


class Options(TypedDict, total=False):
    """How a descent shall go: the keywords that all functions share."""

    optimizer: OptimizerFactory | None
    """Factory of a torch optimiser such as `functools.partial(torch.optim.SGD, lr=0.1)`, to descend
    on the loss that the function names, A as it is. Default None: the fast way of the function."""
    gtol: float | None
    """Stop when the norm of the gradient is at most this. By default go on to rounding level."""
    max_steps: int
    """Bound on the number of steps. Default 10,000."""
    callback: Callback | None
    """Called before each step with the `Record` and the answer as it is then; True stops. What it
    sees of a wide A is the SVD of its adjoint; of a system, while one is sought, the inverse."""
    progress: bool
    """Show a progress bar (needs tqdm). Default False."""


class Walk:
    """The way to an answer, over all metrics tried: steps are counted and limited together."""

    def __init__(self, name: str, hint: str, batch: torch.Size, **options: Unpack[Options]) -> None:
        unknown = [word for word in options if word not in Options.__annotations__]
        if unknown:
            raise TypeError(
                f"{name} got an unexpected keyword argument {unknown[0]!r}; those of a descent are "
                f"{', '.join(Options.__annotations__)}"
            )
        self.name, self.hint, self.batch = name, hint, batch
        self.optimizer = options.get("optimizer")
        self.gtol = checks.tolerance(options.get("gtol"), "gtol") or 0.0
        self.left = checks.count(options.get("max_steps", 10_000), "max_steps")
        self.callback, self.progress = options.get("callback"), options.get("progress", False)
        self.solution: Solution | None = None

    def descend(
        self, metric: Metric, shown: Shown, *, most: int | None = None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Descend in a metric; return the unknowns and the scaled residual of each member.

        Args:
            metric: all that is to be solved, a stack of shape (batch, ...).
            shown: what the callback, or who catches a failure, shall see of the unknowns.
            most: bound on the number of steps, where another way remains.

        Raises:
            NotConverged: when a member is not accurate and no other way may be tried, because the
                caller interrupted the descent or the steps ran out.
        """
        solution = self._minimize(metric, metric.start(), self._told(shown), most)
        unknowns, residual = solution.value, solution.residual
        assert isinstance(unknowns, tuple)
        assert residual is not None
        if solution.status is Status.INTERRUPTED or self.left == 0:
            self.accept(residual, lambda: shown(unknowns))
        return unknowns, residual

    def descend_plainly(self, loss: Loss, init: Value, error: Callable[..., Tensor]) -> Value:
        """Descend on a loss with the caller's optimiser until a residual is at rounding level.

        Args:
            loss, init: as for `minimize`.
            error: maps the unknowns to the scaled residual, one for each member of a batch.
                Convergence is this number below LIMIT and nothing else.

        Raises:
            NotConverged: with the solution reached, and what to do.
        """

        def measured(value: Value) -> Tensor:
            return error(*(value if isinstance(value, tuple) else (value,)))

        def accurate(record: Record, value: Value) -> bool:
            asked = self.callback is not None and self.callback(record, value) is True
            return asked or bool((measured(value) < 1).all())

        solution = self._minimize(loss, init, accurate, None, optimizer=self.optimizer)
        self.accept(measured(solution.value), lambda: solution.value)
        return solution.value

    def accept(self, residual: Tensor, value: Callable[[], Value], why: str = "") -> None:
        """Raise NotConverged, with the value that was reached, unless every member is accurate."""
        accurate = residual < LIMIT
        if accurate.all():
            return
        assert self.solution is not None
        worst = residual[~accurate].nan_to_num(nan=math.inf).max().item()
        count = int((~accurate).sum())
        of = f" for {count} of {residual.numel()} matrices" if residual.numel() > 1 else ""
        status = self.solution.status
        status = Status.STALLED if status is Status.CONVERGED and not self.gtol else status
        solution = replace(
            self.solution, value=self._unstacked(value()), status=status, residual=residual
        )
        said = (
            f"{self.name} ended with a scaled residual of {worst:.3g}{of}, above the limit of "
            f"{LIMIT:.0f}, after {solution.steps} steps.",
            *(why, self.hint, status.value),
        )
        raise NotConverged(" ".join(filter(None, said)), solution)

    def _minimize(
        self,
        loss: Loss | Metric,
        init: Value,
        callback: Callback | None,
        most: int | None,
        **options: Any,
    ) -> Solution:
        """Go on where the last descent ended, with the steps that are left."""
        solution = minimize(
            loss,
            init,
            gtol=(self.gtol or None) if isinstance(loss, Metric) else self.gtol,
            max_steps=self.left if most is None else min(most, self.left),
            callback=callback,
            progress=self.progress,
            **options,
        )
        history, status = solution.history, solution.status
        if self.solution is not None:
            history = self.solution.history + tuple(map(self._later, history[1:]))
            if self.solution.status is Status.INTERRUPTED:
                status = Status.INTERRUPTED
        # Who stops a descent stops those that were to follow.
        self.left = 0 if status is Status.INTERRUPTED else self.left - solution.steps
        self.solution = replace(solution, history=history, status=status)
        return solution

    def _told(self, shown: Shown) -> Callback | None:
        """Call the caller back with an answer of its own kind, and with all steps counted."""
        callback = self.callback
        if callback is None:
            return None

        def tell(record: Record, value: Value) -> object:
            assert isinstance(value, tuple)
            return callback(self._later(record), self._unstacked(shown(value)))

        return tell

    def _later(self, record: Record) -> Record:
        if self.solution is None:
            return record
        last = self.solution.history[-1]
        return record._replace(step=last.step + record.step, seconds=last.seconds + record.seconds)

    def _unstacked(self, value: Value) -> Value:
        """Give an answer for all members the batch of the caller."""
        tensors = value if isinstance(value, tuple) else (value,)
        if len(tensors[0]) != self.batch.numel():
            return value
        shaped = tuple(x.reshape(*self.batch, *x.shape[1:]) for x in tensors)
        return shaped if isinstance(value, tuple) else shaped[0]
