"""Look on while a loss is computed: which shapes meet, and which terms are added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
DIFFERENCES = {aten.sub, aten.rsub}
RESHAPES = {aten.view, aten._unsafe_view, aten.reshape}


class Shapes(TorchDispatchMode):
    """Note differences of a column and a row, and reshapes that look like a transpose."""

    def __init__(self, unknowns: Tensor) -> None:
        super().__init__()
        self.unknowns = unknowns.untyped_storage().data_ptr()
        self.tables: list[str] = []
        self.reshapes: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation as it is."""
        out = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in DIFFERENCES and all(isinstance(x, Tensor) for x in args[:2]):
            a, b = sorted(args[:2], key=lambda x: x.ndim)
            # A column beside a row of as many; who writes x[:, None] - x[None, :] means a table.
            if a.ndim == 1 and len(a) > 1 and b.shape == (len(a), 1):
                self.tables.append(f"{_x(a)} and {_x(b)} were compared as {_x(out)}")
        elif packet in RESHAPES and _swapped(args[0].shape, out.shape):
            if args[0].untyped_storage().data_ptr() == self.unknowns:
                return out  # how unknowns are laid out is the caller's choice
            self.reshapes.append(f"a reshape made {_x(out)} of {_x(args[0])}")
        return out


class Terms(TorchFunctionMode):
    """Note of which scalars a scalar is the sum, the difference or the multiple."""

    SUMS = frozenset(("add", "__add__", "__radd__", "sub", "__sub__", "__rsub__", "rsub"))
    MULTIPLES = frozenset(("mul", "__mul__", "__rmul__", "div", "__truediv__", "neg", "__neg__"))

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[int, list[Tensor]] = {}
        self.kept: list[Any] = []  # an id is good as long as its tensor lives

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the function as it is."""
        out = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if isinstance(out, Tensor) and out.ndim == 0:
            moving = [x for x in args if isinstance(x, Tensor) and x.requires_grad]
            scalars = all(x.ndim == 0 for x in args if isinstance(x, Tensor))
            if scalars and (name in self.SUMS or (name in self.MULTIPLES and len(moving) == 1)):
                self.parts[id(out)] = moving
                self.kept.append(out)
        return out

    def of(self, loss: Tensor) -> list[Tensor]:
        """The scalars of which the loss is a weighted sum."""
        if id(loss) not in self.parts:
            return [loss]
        return [term for part in self.parts[id(loss)] for term in self.of(part)]


def shapes(loss: Callable[[Tensor], Tensor], x: Tensor) -> Shapes:
    """Compute a loss and return what was seen."""
    with torch.no_grad(), Shapes(x) as seen:
        loss(x)
    return seen


def summands(loss: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Compute a loss, and the scalars of which it is a weighted sum."""
    with Terms() as seen:
        height = loss(x)
    return height, seen.of(height)


def terms(loss: Callable[[Tensor], Tensor], x: Tensor) -> list[tuple[float, Tensor]]:
    """Return the terms of a loss: the share of each in it, and its gradient."""
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        height, parts = summands(loss, x)
        weights = torch.autograd.grad(height, parts, retain_graph=True)
        pairs = []
        for part, weight in zip(parts, weights, strict=True):
            (gradient,) = torch.autograd.grad(part, x, retain_graph=True, materialize_grads=True)
            pairs.append(((weight * part).item(), weight * gradient))
    return pairs


def _swapped(before: torch.Size, behind: torch.Size) -> bool:
    """Whether m x n became n x m."""
    return len(before) == 2 and behind == before[::-1] != before and min(before) > 1


def _x(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) if tensor.ndim != 1 else f"({len(tensor)},)"
