"""The only loop in the package: guess, measure how wrong, step downhill."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from gdla import checks
from gdla.losses import Loss
from gdla.metrics import Metric
from gdla.optim import LBFGS
from gdla.points import Members, Point
from gdla.solution import Callback, Record, Solution, Status, Value

OptimizerFactory = Callable[[Iterable[Tensor]], torch.optim.Optimizer]


def minimize(
    loss: Loss | Metric,
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
        loss: callable of one tensor, or of as many as `init` has, to a real scalar tensor; or a
            `gdla.metrics.Metric`, which measures loss and gradient in closed form.
        init: tensor, or tuple of tensors, of any shapes; copied, never changed.
        optimizer: factory of a torch optimiser, such as
            `functools.partial(torch.optim.SGD, lr=0.1, momentum=0.9)`. Default:
            `gdla.optim.LBFGS`, L-BFGS with strong Wolfe line search; for a metric its natural
            step, as `torch.optim.SGD` takes it with learning rate 1.
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
        >>> solution.value.round(decimals=3)
        tensor([3., 3.])
        >>> solution.converged
        True
    """
    measured = isinstance(loss, Metric)
    point = Members(loss, init) if isinstance(loss, Metric) else Point(loss, init)
    method = _built(optimizer or (NaturalStep if measured else LBFGS), point.unknowns)
    eps = torch.finfo(point.unknowns[0].dtype).eps
    # A metric knows by its residual where to end; its loss may rise on the way.
    stopping: _Bounds = _Bounds(gtol, max_steps)
    if not measured:
        stopping = _Stopping(gtol, max_steps, eps**0.5, _memory(method))
    history: list[Record] = []
    status, begun = None, 0
    with _progress_bar(max_steps, shown=progress) as tick:
        try:
            while status is None:
                history.append(point.measure(step=len(history)))
                status = point.verdict or stopping(history)
                if status is None and callback and callback(history[-1], point.value) is True:
                    status = Status.INTERRUPTED
                if status is None:
                    begun += 1
                    method.step(point.closure)
                    tick()
        except KeyboardInterrupt:  # what was reached so far is not lost
            if len(history) == begun:
                history.append(point.measure(step=begun))
            status = Status.INTERRUPTED
    return Solution(point.value, status, tuple(history), point.residual)


class NaturalStep:
    """Subtract the gradient, once: the step of a metric in which the hill is round.

    The same as `torch.optim.SGD(lr=1)`; but the first optimiser of torch that a process makes loads
    torch._dynamo (2.13), which takes longer than any descent here.
    """

    def __init__(self, unknowns: Iterable[Tensor]) -> None:
        self.unknowns = tuple(unknowns)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> None:
        """Step from where the closure measures."""
        closure()
        for x in self.unknowns:
            assert x.grad is not None
            x -= x.grad


class _Bounds:
    """End a descent where it overflows, at gtol or after max_steps."""

    def __init__(self, gtol: float | None, max_steps: int) -> None:
        self.gtol = checks.tolerance(gtol, "gtol")
        self.max_steps = checks.count(max_steps, "max_steps")

    def __call__(self, history: list[Record]) -> Status | None:
        """Decide whether the last record ends the descent, and why; None to go on."""
        last = history[-1]
        if not (math.isfinite(last.loss) and math.isfinite(last.gradient_norm)):
            if last is history[0]:
                raise ValueError(
                    f"the loss at init is {last.loss} and its gradient has norm "
                    f"{last.gradient_norm}; start where both are finite"
                )
            return Status.DIVERGED
        if self.gtol is not None and last.gradient_norm <= self.gtol:
            return Status.CONVERGED
        return Status.EXHAUSTED if last.step == self.max_steps else None


class _Stopping(_Bounds):
    """End it also where nothing falls any more; gtol is relative to the start unless given."""

    def __init__(self, gtol: float | None, max_steps: int, default: float, memory: float) -> None:
        super().__init__(gtol, max_steps)
        self.default, self.memory = default, memory
        self.lowest_loss = self.lowest_norm = math.inf
        self.last_gain = 0

    def __call__(self, history: list[Record]) -> Status | None:
        """Decide whether the last record ends the descent, and why; None to go on."""
        first, last = history[0], history[-1]
        if self.gtol is None:
            self.gtol = self.default * first.gradient_norm
        status = super().__call__(history)
        if status not in (None, Status.EXHAUSTED):
            return status
        if last.loss < self.lowest_loss or last.gradient_norm < self.lowest_norm:
            self.last_gain = last.step
        self.lowest_loss = min(self.lowest_loss, last.loss)
        self.lowest_norm = min(self.lowest_norm, last.gradient_norm)
        # Begun at the bottom, a loss may stand above its start by rounding.
        grown = last.loss - first.loss > 1e3 * self.default**2 * abs(first.loss)
        # A ball may climb before it falls, and swing through a low by chance.
        if last.step - self.last_gain > max(100, last.step // 10, self.memory):
            status = Status.STALLED
        return Status.DIVERGED if status and grown else status


def _memory(method: Any) -> float:
    """How long a ball may climb: ten times 1 / (1 - rho), for the best contraction rho it has.

    With the best momentum a healthy error grows like k rho^k before it falls.
    """
    groups = getattr(method, "param_groups", [])
    momentum = max((group.get("momentum", 0) or 0 for group in groups), default=0)
    return 10 / (1 - momentum**0.5) if momentum < 1 else math.inf


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
