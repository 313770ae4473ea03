"""A descent as it is examined: one flat vector, where it began and ended, and how it walked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gdla import checks
from gdla.curvature import Curvature, extremes
from gdla.descent import OptimizerFactory, minimize
from gdla.losses import Loss
from gdla.solution import Record, Solution, Status, Value

PRODUCTS = 200  # of the Hessian with a vector, for one measurement of the curvature
FEW = 40  # where the unknowns are many, and each product is dear


@dataclass(frozen=True)
class Method:
    """What an optimiser tells about itself, or what the steps of a loop tell about it."""

    name: str
    lr: float = math.nan
    momentum: float = 0.0
    weight_decay: float = 0.0
    kind: type | None = None
    nesterov: bool = False

    @property
    def plain(self) -> bool:
        """Whether a step is lr times the gradient, plus momentum times the last step."""
        known = self.kind in (None, torch.optim.SGD) and not self.nesterov
        return known and math.isfinite(self.lr)

    @property
    def adaptive(self) -> bool:
        """Whether a step has the length of the learning rate rather than that of the slope."""
        kinds = (torch.optim.Adam, torch.optim.RMSprop, torch.optim.Adamax, torch.optim.Rprop)
        return self.kind is not None and issubclass(self.kind, kinds)


@dataclass
class Question:
    """A loss of one flat vector, and where a descent on it starts."""

    loss: Callable[[Tensor], Tensor]
    start: Tensor
    parts: tuple[Tensor, ...]
    """The start in its own shapes."""

    def slope(self, x: Tensor) -> tuple[float, Tensor]:
        """The loss at a place, and its gradient as autograd finds it."""
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            height = self.loss(x)
            if not height.requires_grad:
                return height.item(), torch.zeros_like(x)
            (gradient,) = torch.autograd.grad(height, x, materialize_grads=True)
        return height.item(), gradient

    def height(self, x: Tensor) -> float:
        """The loss at a place."""
        with torch.no_grad():
            return float(self.loss(x))

    def bent(self, x: Tensor) -> tuple[Curvature, Tensor] | None:
        """The extreme curvatures at a place, and the direction of the smallest; None if unknown."""
        try:
            most = PRODUCTS if x.numel() <= 10 * PRODUCTS else FEW
            bends, direction = extremes(self.loss, (x,), most)
        except (RuntimeError, ValueError):  # not twice differentiable, or not finite
            return None
        return bends, direction

    @property
    def eps(self) -> float:
        """The rounding unit."""
        return torch.finfo(self.start.dtype).eps

    def named(self, index: int) -> str:
        """Name one of the unknowns as the caller would."""
        for i, part in enumerate(self.parts):
            if index < part.numel():
                place = [int(k) for k in torch.unravel_index(torch.tensor(index), part.shape)]
                name = "init" if len(self.parts) == 1 else f"init[{i}]"
                return name + (f"[{', '.join(map(str, place))}]" if place else "")
            index -= part.numel()
        raise IndexError(index)


@dataclass
class Case(Question):
    """A question, and a descent that should have answered it."""

    method: Method
    solution: Solution
    lowest: Tensor
    """The place with the least loss."""
    path: tuple[Tensor, ...] = ()
    """All places, of a loop that is not ours."""

    @cached_property
    def end(self) -> Tensor:
        """The place where the descent ended; the lowest where it diverged."""
        if self.status is Status.DIVERGED:
            return self.lowest
        return flat(self.solution.value)

    @cached_property
    def at_end(self) -> tuple[float, Tensor]:
        """Loss and gradient at the end."""
        return self.slope(self.end)

    @cached_property
    def bent_at_end(self) -> tuple[Curvature, Tensor] | None:
        """The extreme curvatures at the end, and the direction of the smallest."""
        return self.bent(self.end)

    @property
    def status(self) -> Status:
        """How the descent ended."""
        return self.solution.status

    @property
    def losses(self) -> list[float]:
        """The loss before each step, and at the end."""
        return [record.loss for record in self.solution.history]

    @property
    def scale(self) -> float:
        """The size of an unknown, at start and end."""
        largest = torch.stack([self.start, self.end]).square().mean().sqrt().item()
        return largest or 1.0

    @property
    def settled(self) -> bool:
        """Whether the gradient at the end is small: for what the curvature makes of the size."""
        bends = self.bent_at_end
        if bends is None:
            return False
        steepest = max(abs(bends[0].largest), abs(bends[0].smallest))
        return self.at_end[1].norm().item() <= 1e-2 * steepest * self.scale

    @property
    def solved(self) -> bool:
        """Whether next to nothing is left of a loss that cannot be negative."""
        first, last = self.losses[0], self.at_end[0]
        return abs(last) <= 10 * self.eps**0.5 * abs(first)

    @property
    def at_rounding(self) -> bool:
        """Whether the gradient at the end is small, and no more than rounding makes of it."""
        gradient, first = self.at_end[1].norm().item(), self.solution.history[0].gradient_norm
        return gradient <= 100 * self.eps**0.5 * first and gradient <= self.rounding

    @cached_property
    def rounding(self) -> float:
        """The length of a gradient that rounding alone may make at the end."""
        return 30 * max(self._shaken(seed) for seed in range(3))

    def _shaken(self, seed: int) -> float:
        """How much the gradient at the end changes with the last digit of the place."""
        shake = 1 + self.eps * normal(self.end, seed)
        return (self.slope(self.end * shake)[1] - self.at_end[1]).norm().item()


def asked(loss: Loss, init: Value) -> Question:
    """Make a question of a loss and a start."""
    if not callable(loss):
        raise TypeError(f"loss must be callable, got {type(loss).__name__}")
    parts = init if isinstance(init, tuple) else (init,)
    for i, part in enumerate(parts):
        checks.start(part, f"init[{i}]" if isinstance(init, tuple) else "init")
        if part.is_complex():
            raise TypeError("init must be real, got a complex tensor; use torch.view_as_real")
        if part.dtype != parts[0].dtype or part.device != parts[0].device:
            raise ValueError("all of init must have one dtype and one device; cast it")
    if sum(part.numel() for part in parts) == 0:
        raise ValueError("init is empty; pass at least one number")
    sizes, shapes = [part.numel() for part in parts], [part.shape for part in parts]

    def of_flat(x: Tensor) -> Tensor:
        pieces = zip(x.split(sizes), shapes, strict=True)
        return loss(*(piece.reshape(shape) for piece, shape in pieces))

    start = flat(init)
    checks.number(of_flat(start.clone().requires_grad_()))
    return Question(of_flat, start, parts)


def descended(
    question: Question, loss: Loss, init: Value, optimizer: OptimizerFactory | None, **options: Any
) -> Case:
    """Let the library walk, and note method, solution and the lowest place."""
    made: list[Any] = []
    lowest, least = question.start, math.inf

    def factory(unknowns: Any) -> torch.optim.Optimizer:
        assert optimizer is not None
        made.append(optimizer(unknowns))
        return made[-1]

    def note(record: Record, value: Value) -> None:
        nonlocal least, lowest
        if record.loss < least:
            least, lowest = record.loss, flat(value)

    usable = callable(optimizer) and not isinstance(optimizer, torch.optim.Optimizer)
    chosen = factory if usable else optimizer  # minimize says what is wrong with it
    solution = minimize(loss, init, optimizer=chosen, callback=note, **options)
    method = _told(made[0]) if made else Method("gdla.optim.LBFGS")
    return Case(question.loss, question.start, question.parts, method, solution, lowest)


def followed(question: Question, path: Sequence[Value], gtol: float | None) -> Case:
    """Read the path of a loop of the caller's own: its history, its end, and how it steps."""
    for k, value in enumerate(path):
        shapes = [x.shape for x in (value if isinstance(value, tuple) else (value,))]
        if shapes != [part.shape for part in question.parts]:
            raise ValueError(f"path[{k}] differs in shape from path[0]; pass one kind of value")
    places = tuple(flat(value) for value in path)
    history, slopes = [], []
    for step, x in enumerate(places):
        height, gradient = question.slope(x)
        history.append(Record(step, height, gradient.norm().item(), math.nan))
        slopes.append(gradient)
        if not (math.isfinite(height) and gradient.isfinite().all()):
            break
    finite = [record for record in history if math.isfinite(record.loss)]
    lowest = places[min(finite, key=lambda record: record.loss).step]
    gtol = question.eps**0.5 * history[0].gradient_norm if gtol is None else gtol
    solution = Solution(path[len(history) - 1], _read(history, gtol), tuple(history))
    method = Method("the loop", *_stepping(places[: len(history)], slopes))
    return Case(question.loss, question.start, question.parts, method, solution, lowest, places)


def flat(value: Value) -> Tensor:
    """All unknowns as one vector."""
    parts = value if isinstance(value, tuple) else (value,)
    return torch.cat([part.detach().reshape(-1) for part in parts])


def normal(like: Tensor, seed: int) -> Tensor:
    """A reproducible random vector."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator, dtype=like.dtype).to(like.device)


def _told(optimizer: Any) -> Method:
    """Read the settings of an optimiser."""
    group = optimizer.param_groups[0] if getattr(optimizer, "param_groups", None) else {}
    kind = type(optimizer)
    lr = float(group.get("lr", math.nan)) if kind is not torch.optim.LBFGS else math.nan
    momentum, decay = (float(group.get(key, 0) or 0) for key in ("momentum", "weight_decay"))
    name = f"{kind.__module__.partition('.')[0]}'s {kind.__name__}"
    return Method(name, lr, momentum, decay, kind, bool(group.get("nesterov")))


def _read(history: list[Record], gtol: float) -> Status:
    """Name how a path ended, as `minimize` would."""
    first, last = history[0], history[-1]
    if not math.isfinite(last.loss + last.gradient_norm) or last.loss > first.loss:
        return Status.DIVERGED
    if last.gradient_norm <= gtol:
        return Status.CONVERGED
    late = max(1, len(history) // 10)
    least = min(record.loss for record in history[:-late])
    falls = min(record.loss for record in history[-late:]) < least
    return Status.EXHAUSTED if falls else Status.STALLED


def _stepping(places: Sequence[Tensor], gradients: Sequence[Tensor]) -> tuple[float, float]:
    """Fit x' - x = -lr g + momentum (x - x_before) to the first steps; nan where none fits."""
    most = min(30, len(places) - 1)
    points = torch.stack([*places[: most + 1]]).double()
    slopes = torch.stack([*gradients[:most]]).double()
    steps = points.diff(dim=0)
    before = torch.cat([torch.zeros_like(steps[:1]), steps[:-1]])
    columns = torch.stack([-slopes.flatten(), before.flatten()], dim=1)
    size = steps.norm()
    if not (columns.isfinite().all() and size > 0):
        return math.nan, 0.0
    found = torch.linalg.lstsq(columns, steps.reshape(-1, 1), driver="gelsd").solution
    left = (columns @ found - steps.reshape(-1, 1)).norm() / size
    lr, momentum = found.flatten().tolist()
    return (lr, momentum) if left < 1e-3 else (math.nan, 0.0)
