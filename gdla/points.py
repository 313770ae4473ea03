"""Where a descent stands: the unknowns, and the loss with its gradient there."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from torch import Tensor

from gdla import checks
from gdla.losses import Loss
from gdla.metrics import LIMIT, Metric
from gdla.solution import Record, Status, Value


class Point:
    """The unknowns of a loss whose gradient automatic differentiation finds."""

    MEMORY = torch.contiguous_format  # torch's L-BFGS asks for it

    def __init__(self, loss: Loss | Metric, init: Value) -> None:
        if not callable(loss):
            raise TypeError(f"loss must be callable, got {type(loss).__name__}")
        self.single = not isinstance(init, tuple)
        tensors = init if isinstance(init, tuple) else (init,)
        if not tensors:
            raise ValueError("init is an empty tuple; pass at least one tensor")
        for i, tensor in enumerate(tensors):
            checks.start(tensor, "init" if self.single else f"init[{i}]")
        self.unknowns = tuple(
            tensor.clone(memory_format=self.MEMORY).requires_grad_() for tensor in tensors
        )
        self.loss: Any = loss
        self.began = time.perf_counter()
        self._measured: Tensor | None = None

    @property
    def value(self) -> Value:
        """The unknowns as they are now, with the structure of `init`."""
        return self.structured(tuple(x.detach().clone() for x in self.unknowns))

    @property
    def verdict(self) -> Status | None:
        """Whether the point itself knows that it needs no other step."""
        return None

    @property
    def residual(self) -> Tensor | None:
        """The scaled residual of each member, where it is measured."""
        return None

    def structured(self, values: tuple[Tensor, ...]) -> Value:
        """Give values the structure of `init`."""
        return values[0] if self.single else values

    def measure(self, step: int) -> Record:
        """Evaluate loss and gradient and note them."""
        self._measured = self.evaluate()
        norms = [torch.linalg.vector_norm(x.grad).item() for x in self.unknowns]
        seconds = time.perf_counter() - self.began
        return Record(step, self._measured.item(), math.hypot(*norms), seconds)

    def closure(self) -> Tensor:
        """Evaluate for an optimiser; its first question is one that `measure` has answered."""
        loss, self._measured = self._measured, None
        return self.evaluate() if loss is None else loss

    def evaluate(self) -> Tensor:
        """Compute the loss, and put its gradients beside the unknowns."""
        with torch.enable_grad():
            loss = self.loss(*self.unknowns)
            checks.loss(loss)
            gradients = torch.autograd.grad(loss, self.unknowns, allow_unused=True)
        for i, (x, gradient) in enumerate(zip(self.unknowns, gradients, strict=True)):
            if gradient is None:
                raise ValueError(
                    f"the loss does not depend on {'init' if self.single else f'init[{i}]'}; "
                    "compute it from the argument itself, without .detach(), .item() or numpy"
                )
            x.grad = gradient.contiguous()
        return loss.detach()


class Members(Point):
    """The unknowns of a stack of problems, each of which ends when it is accurate.

    A member is closed when its scaled residual is below 1; below LIMIT and no better for three
    steps, since rounding allows no more; or no better for thirty, which is a failure. Better means
    by a tenth. A closed member is frozen, keeps the best it had, and costs no more.
    """

    MEMORY = torch.preserve_format  # a metric may have reasons for its layout
    AT_ROUNDING, PATIENCE = 3, 30

    def __init__(self, metric: Metric, init: Value) -> None:
        super().__init__(metric, init)
        self.metric = metric
        x = self.unknowns[0].detach()
        self.open = torch.arange(len(x), device=x.device)
        self.age = torch.zeros_like(self.open)
        self.lowest = torch.full(x.shape[:1], torch.inf, dtype=x.real.dtype, device=x.device)
        self.losses = torch.zeros_like(self.lowest)
        self.best = tuple(x.detach().clone() for x in self.unknowns)

    @property
    def value(self) -> Value:
        """The best of each member that is at rounding level, the others as they are."""
        settled = self.lowest < LIMIT
        values = tuple(x.detach().clone() for x in self.unknowns)
        for value, best in zip(values, self.best, strict=True):
            value[settled] = best[settled]
        return self.structured(values)

    @property
    def verdict(self) -> Status | None:
        """CONVERGED when all members are closed and accurate, STALLED when one is not."""
        if len(self.open):
            return None
        return Status.CONVERGED if (self.lowest < LIMIT).all() else Status.STALLED

    @property
    def residual(self) -> Tensor | None:
        """The lowest scaled residual of each member."""
        return self.lowest

    def evaluate(self) -> Tensor:
        """Measure the open members; the gradient of the others is zero."""
        unknowns = [self._of_open(x.detach()) for x in self.unknowns]
        loss, gradients, residual = self.metric(*unknowns)
        still = self._note(unknowns, loss, residual)
        if not still.all():
            self.metric.keep(still)
            self.open, gradients = self.open[still], tuple(g[still] for g in gradients)
        for x, gradient in zip(self.unknowns, gradients, strict=True):
            if self._all_open:
                x.grad = gradient
            else:
                x.grad = torch.zeros_like(x)
                x.grad[self.open] = gradient
        return self.losses.sum()

    @property
    def _all_open(self) -> bool:
        return len(self.open) == len(self.losses)

    def _of_open(self, x: Tensor) -> Tensor:
        return x if self._all_open else x[self.open]

    def _note(self, unknowns: list[Tensor], loss: Tensor, residual: Tensor) -> Tensor:
        """Keep what is better than before; return a mask of the open members that go on."""
        before = self._of_open(self.lowest)
        better = residual < before
        lowest = torch.where(better, residual, before)
        slow = residual.isfinite() & ~(residual < 0.9 * before)
        age = (self._of_open(self.age) + 1) * slow
        self.losses[self.open], self.lowest[self.open], self.age[self.open] = loss, lowest, age
        kept = better & (residual < LIMIT)
        if kept.any():
            for best, x in zip(self.best, unknowns, strict=True):
                best[self.open[kept]] = x[kept]
        patience = torch.where(lowest < LIMIT, self.AT_ROUNDING, self.PATIENCE)
        return (lowest >= 1) & (age < patience) & ~residual.isnan()
