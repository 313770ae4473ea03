"""The public functions of gdla, each as it is but for its result, which is off by one per cent.

What a function returns is multiplied, down to each number that a named tuple, a dataclass or a
returned function holds; gradients still flow through it. Of a metric it is what a call measures:
loss, gradients and residual. Of an optimiser, whose result is where it leads, the step is made
longer. Pictures return nothing: the heights that they draw are multiplied. `gdla.plots.axes` opens
a figure and draws nothing, so it is left out; so are classes that hold what others computed.
"""

import dataclasses
import functools
import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

import gdla
from gdla import plots
from gdla.metrics import Metric

OFF = 1.01  # one per cent
MODULES = [
    gdla,
    *map(importlib.import_module, (m.name for m in pkgutil.walk_packages(gdla.__path__, "gdla."))),
]

Function = Callable[..., Any]


class Mutant(NamedTuple):
    """What can be changed, and how."""

    word: str
    """The name under which a test uses it."""
    places: list[tuple[Any, str]]
    """Wherever it is bound: modules or a class, and the attribute there."""
    change: Callable[[Function, float], Function]
    """Maps it and a factor to what takes its place."""

    @property
    def room(self) -> str:
        """The module that it belongs to, or where a module has become a folder, the folder."""
        return str(self.function.__module__).split(".")[1]

    @property
    def function(self) -> Function:
        """What is bound there now."""
        owner, attribute = self.places[0]
        return getattr(owner, attribute)


def mutants() -> dict[str, Mutant]:
    """Find all that is public and computes something."""
    modules = [value for value in map(vars(gdla).get, gdla.__all__) if inspect.ismodule(value)]
    found = {}
    for module in (gdla, *modules, plots):  # plots needs an extra, and so is not in gdla.__all__
        room = module.__name__.removeprefix("gdla").removeprefix(".")
        for name in public_names(module):
            value = getattr(module, name)
            full = f"{room}.{name}" if room else name
            if inspect.isfunction(value):
                if not inspect.isgeneratorfunction(inspect.unwrap(value)):
                    change = drawn if module is plots else returned
                    found[full] = Mutant(name, bindings(value), change)
            elif inspect.isclass(value) and not inspect.isabstract(value):
                if issubclass(value, Metric):
                    found[full] = Mutant(name, [(value, "__call__")], returned)
                elif issubclass(value, torch.optim.Optimizer):
                    found[full] = Mutant(name, [(value, "step")], stepped)
    return found


def public_names(module: ModuleType) -> list[str]:
    """Return what a module offers: what it says, or what it defines without an underscore."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
    return [name for name in own if not name.startswith("_")]


def bindings(function: Function) -> list[tuple[Any, str]]:
    """Return every module of gdla that knows the function, with its name there."""
    return [(m, name) for m in MODULES for name, value in vars(m).items() if value is function]


@contextmanager
def mutated(mutant: Mutant, factor: float = OFF) -> Iterator[None]:
    """Put the changed function wherever the right one is bound; a factor of 1 changes nothing."""
    changed = mutant.change(mutant.function, factor)
    with ExitStack() as stack:
        for owner, attribute in mutant.places:
            stack.enter_context(patch.object(owner, attribute, changed))
        yield


def scaled(result: Any, factor: float) -> Any:
    """Multiply every number in a result; round whole ones up; leave types and all else alone."""
    match result:
        case Tensor():
            inexact = result.is_floating_point() or result.is_complex()
            return result * factor if inexact else result
        case bool():
            return result
        case int():
            return math.ceil(result * factor)
        case float() | complex():
            return result * factor
        case tuple() | list():
            make = getattr(result, "_make", type(result))
            return make([scaled(part, factor) for part in result])
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        parts = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        return dataclasses.replace(result, **{n: scaled(x, factor) for n, x in parts.items()})
    return returned(result, factor) if inspect.isfunction(result) else result


def returned(function: Function, factor: float) -> Function:
    """Change what a function returns, or what the function does that it returns."""

    @functools.wraps(function)
    def changed(*arguments: Any, **options: Any) -> Any:
        return scaled(function(*arguments, **options), factor)

    return changed


def stepped(step: Function, factor: float) -> Function:
    """Change how far the step of an optimiser goes."""

    @functools.wraps(step)
    def changed(self: torch.optim.Optimizer, *arguments: Any, **options: Any) -> Any:
        unknowns = [x for group in self.param_groups for x in group["params"]]
        before = [x.detach().clone() for x in unknowns]
        result = step(self, *arguments, **options)
        with torch.no_grad():
            for x, start in zip(unknowns, before, strict=True):
                x.add_(x - start, alpha=factor - 1)  # by 0, where the factor is 1, to the last bit
        return result

    return changed


def drawn(function: Function, factor: float) -> Function:
    """Change the heights that a picture shows, of curves, level lines and the entries of images."""
    # As they are now: a picture that calls itself shall not be changed twice.
    methods = {name: heightened(getattr(Axes, name), factor) for name in DRAWING}

    @functools.wraps(function)
    def changed(*arguments: Any, **options: Any) -> Any:
        with patch.multiple(Axes, **methods):
            return function(*arguments, **options)

    return changed


DRAWING = ("plot", "contour", "imshow")


def heightened(draw: Function, factor: float) -> Function:
    """Change the last of the data that a method of matplotlib's axes is given."""

    @functools.wraps(draw)
    def changed(ax: Axes, *given: Any, **options: Any) -> Any:
        last = max(k for k, data in enumerate(given) if not isinstance(data, str))
        heights = np.asarray(given[last]) * factor
        return draw(ax, *given[:last], heights, *given[last + 1 :], **options)

    return changed
