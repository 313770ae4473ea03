"""Where a descent stands: the unknowns, and the loss with its gradient there."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
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
        self.points = tuple(x.detach() for x in self.unknowns)
        self.best = tuple(x.clone() for x in self.points)
        # Books are kept in numpy: for one matrix its calls cost a fraction of torch's.
        count = self.points[0].shape[0]
        self.open = np.arange(count)
        self.age = np.zeros(count, dtype=np.int64)
        self.lowest = np.full(count, np.inf)
        self.losses = np.zeros(count)

    @property
    def value(self) -> Value:
        """The best of each member that is at rounding level, the others as they are."""
        settled = self.lowest < LIMIT
        if settled.all():
            return self.structured(tuple(x.clone() for x in self.best))
        values = tuple(x.clone() for x in self.points)
        if settled.any():
            for value, best in zip(values, self.best, strict=True):
                value[settled] = best[settled]
        return self.structured(values)

    @property
    def verdict(self) -> Status | None:
        """CONVERGED when all members are closed and accurate, STALLED when one is not."""
        if self.open.size:
            return None
        return Status.CONVERGED if (self.lowest < LIMIT).all() else Status.STALLED

    @property
    def residual(self) -> Tensor | None:
        """The lowest scaled residual of each member."""
        like = self.points[0]
        return torch.as_tensor(self.lowest, dtype=like.real.dtype, device=like.device)

    def evaluate(self) -> Tensor:
        """Measure the open members; the gradient of the others is zero."""
        part = self.open.size < self.losses.size
        unknowns = tuple(x[self.open] for x in self.points) if part else self.points
        loss, gradients, residual = self.loss(*unknowns)
        going = self._note(unknowns, loss, residual)
        if not going.all():
            self.loss.keep(torch.as_tensor(going, device=residual.device))
            gradients = tuple(gradient[going] for gradient in gradients)
            self.open, part = self.open[going], True
        for x, gradient in zip(self.unknowns, gradients, strict=True):
            if part:
                x.grad = torch.zeros_like(x)
                x.grad[self.open] = gradient
            else:
                x.grad = gradient
        return torch.as_tensor(self.losses.sum())

    def _note(self, unknowns: tuple[Tensor, ...], loss: Tensor, residual: Tensor) -> Any:
        """Keep what is better than before; return a mask of the open members that go on."""
        height, before = loss.cpu().numpy(), self.lowest[self.open]
        finite = np.isfinite(height)  # what has overflowed is given up
        now = np.where(finite, residual.cpu().numpy(), np.nan)
        better = now < before
        slow = np.isfinite(now) & ~(now < 0.9 * before)
        lowest, age = np.where(better, now, before), (self.age[self.open] + 1) * slow
        self.losses[self.open] = np.where(finite, height, self.losses[self.open])
        self.lowest[self.open], self.age[self.open] = lowest, age
        kept = better & (now < LIMIT)
        if kept.any():
            for best, x in zip(self.best, unknowns, strict=True):
                if kept.size == self.losses.size and kept.all():
                    best.copy_(x)
                else:
                    best[self.open[kept]] = x[kept]
        patience = np.where(lowest < LIMIT, self.AT_ROUNDING, self.PATIENCE)
        return (lowest >= 1) & (age < patience) & ~np.isnan(now)
