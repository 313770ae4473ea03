"""The only loop in the package: guess, measure how wrong, step downhill."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gdla import checks
from gdla.losses import Loss
from gdla.optim import LBFGS
from gdla.solution import Callback, NotConverged, Record, Solution, Status, Value

OptimizerFactory = Callable[[Iterable[Tensor]], torch.optim.Optimizer]

LIMIT = 30.0
"""The scaled residual below which LAPACK's own tests pass (LAPACK working note 41)."""


def minimize(
    loss: Loss,
    init: Value,
    *,
    optimizer: OptimizerFactory | None = None,
    gtol: float | None = None,
    max_steps: int = 10_000,
    callback: Callback | None = None,
    progress: bool = False,
) -> Solution:
    """Minimise a loss by descending from `init`.

    Args:
        loss: callable of one tensor, or of as many as `init` has, to a real scalar tensor.
        init: tensor, or tuple of tensors, of any shapes; copied, never changed.
        optimizer: factory of a torch optimiser, such as
            `functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9)`. Default:
            `gdla.optim.LBFGS`, L-BFGS with strong Wolfe line search.
        gtol: stop as converged when the Euclidean norm of the gradient (loss per unit of the
            unknowns) is at most this. Default: the square root of the dtype's rounding unit
            times the norm at `init`. 0 descends until nothing falls any more.
        max_steps: bound on the number of steps.
        callback: called before each step with the `Record` and the value; True stops.
        progress: show a progress bar (needs tqdm).

    Returns:
        A `Solution`. A descent that fails says so in its `status`; nothing is raised for it.

    Raises:
        TypeError: when `loss`, `init` or `optimizer` is not of the kind above.
        ValueError: when `init` or the loss there is not finite, or the loss does not depend on it.

    Example:
        >>> solution = minimize(lambda x: (x - 3).square().sum(), torch.zeros(2))
        >>> solution.value
        tensor([3., 3.])
        >>> solution.converged
        True
    """
    point = _Point(loss, init)
    method = _built(LBFGS if optimizer is None else optimizer, point.unknowns)
    eps = torch.finfo(point.unknowns[0].dtype).eps
    stopping = _Stopping(gtol, max_steps, default=eps**0.5)
    history: list[Record] = []
    status, begun = None, 0
    with _progress_bar(max_steps, shown=progress) as tick:
        try:
            while status is None:
                history.append(point.measure(step=len(history)))
                status = stopping(history)
                if status is None and callback and callback(history[-1], point.value) is True:
                    status = Status.INTERRUPTED
                if status is None:
                    begun += 1
                    method.step(point.closure)
                    tick()
        except KeyboardInterrupt:  # what was reached so far is not lost
            history[begun:] = [point.measure(step=begun)]
            status = Status.INTERRUPTED
    return Solution(point.value, status, tuple(history))


def descend(
    loss: Loss,
    init: Value,
    scaled_residual: Callable[..., Tensor],
    *,
    name: str,
    hint: str = "",
    gtol: float | None = None,
    callback: Callback | None = None,
    **options: Any,
) -> Value:
    """Minimise until a residual is at rounding level; refuse the result if it ends above LIMIT.

    Args:
        loss, init, gtol, callback, **options: as for `minimize`; gtol defaults to 0.
        scaled_residual: maps the unknowns to the residual in units of rounding, one for each
            member of a batch. Convergence is this number below LIMIT and nothing else.
        name: the public function, for the message.
        hint: what else to try, for the message.

    Raises:
        NotConverged: with the solution reached, and what to do.
    """

    def worst(value: Value) -> float:
        tensors = value if isinstance(value, tuple) else (value,)
        return scaled_residual(*tensors).max().item()

    def accurate(record: Record, value: Value) -> bool:
        asked = callback is not None and callback(record, value) is True
        return asked or worst(value) < 1

    solution = minimize(loss, init, gtol=gtol or 0.0, callback=accurate, **options)
    reached = worst(solution.value)
    if not reached < LIMIT:
        raise NotConverged(
            f"{name} ended with a scaled residual of {reached:.3g}, above the limit of "
            f"{LIMIT:.0f}, after {solution.steps} steps. {hint} {solution.status.value}",
            solution,
        )
    return solution.value


class _Point:
    """The unknowns, and the loss with its gradient where they are."""

    def __init__(self, loss: Loss, init: Value) -> None:
        if not callable(loss):
            raise TypeError(f"loss must be callable, got {type(loss).__name__}")
        self.single = not isinstance(init, tuple)
        tensors = init if isinstance(init, tuple) else (init,)
        if not tensors:
            raise ValueError("init is an empty tuple; pass at least one tensor")
        for i, tensor in enumerate(tensors):
            checks.tensor(tensor, "init" if self.single else f"init[{i}]")
        self.unknowns = tuple(
            tensor.clone(memory_format=torch.contiguous_format).requires_grad_()
            for tensor in tensors
        )
        self.loss = loss
        self.began = time.perf_counter()
        self._measured: Tensor | None = None

    @property
    def value(self) -> Value:
        """The unknowns as they are now, with the structure of `init`."""
        values = tuple(x.detach().clone() for x in self.unknowns)
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


class _Stopping:
    """Decide whether the last record ends the descent, and why."""

    def __init__(self, gtol: float | None, max_steps: int, default: float) -> None:
        self.gtol = checks.tolerance(gtol, "gtol")
        self.max_steps = checks.count(max_steps, "max_steps")
        self.default = default
        self.lowest_loss = math.inf
        self.lowest_norm = math.inf
        self.last_gain = 0

    def __call__(self, history: list[Record]) -> Status | None:
        """Return None to go on."""
        first, last = history[0], history[-1]
        if self.gtol is None:
            self.gtol = self.default * first.gradient_norm
        if not (math.isfinite(last.loss) and math.isfinite(last.gradient_norm)):
            if last is first:
                raise ValueError(
                    f"the loss at init is {last.loss} and its gradient has norm "
                    f"{last.gradient_norm}; start where both are finite"
                )
            return Status.DIVERGED
        if last.gradient_norm <= self.gtol:
            return Status.CONVERGED
        if last.loss < self.lowest_loss or last.gradient_norm < self.lowest_norm:
            self.last_gain = last.step
        self.lowest_loss = min(self.lowest_loss, last.loss)
        self.lowest_norm = min(self.lowest_norm, last.gradient_norm)
        stalled = last.step - self.last_gain > max(100, last.step // 10)
        if stalled or last.step == self.max_steps:
            if last.loss > first.loss:
                return Status.DIVERGED
            return Status.STALLED if stalled else Status.EXHAUSTED
        return None


def _built(optimizer: Any, unknowns: tuple[Tensor, ...]) -> Any:
    if isinstance(optimizer, torch.optim.Optimizer) or not callable(optimizer):
        raise TypeError(
            f"optimizer must be a factory such as functools.partial(torch.optim.SGD, lr=0.1), "
            f"got {type(optimizer).__name__}"
        )
    return optimizer(unknowns)


def _progress_bar(total: int, *, shown: bool) -> AbstractContextManager[Callable[[], Any]]:
    if not shown:
        return nullcontext(lambda: None)
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("progress=True needs tqdm; pip install 'gdla[progress]'") from None
    return _Bar(tqdm(total=total, unit="step"))


class _Bar:
    """A progress bar that is entered for its tick and left closed."""

    def __init__(self, bar: Any) -> None:
        self.bar = bar

    def __enter__(self) -> Callable[[], Any]:
        return self.bar.update

    def __exit__(self, *_: object) -> None:
        self.bar.close()
