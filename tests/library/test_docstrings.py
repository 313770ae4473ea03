"""Every public name is documented, and every example in a docstring is true."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

import gdla

MODULES = [importlib.import_module(f"gdla.{m.name}") for m in pkgutil.iter_modules(gdla.__path__)]
FUNCTIONS = {
    f"{module.__name__}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}
DRAWS = {"gdla.plots.axes", "gdla.plots.convergence", "gdla.plots.landscape", "gdla.plots.matrices"}
INTERNAL = {name for name in FUNCTIONS if name.startswith("gdla.checks.")} | {
    "gdla.descent.descend",
    "gdla.equations.scale",
    "gdla.optim.polar_step",
}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_are_true(module):
    names = {"torch": torch, **vars(module)}
    failed, _ = doctest.testmod(module, extraglobs=names)
    assert failed == 0


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - DRAWS - INTERNAL))
def test_a_public_function_shows_an_example(name):
    assert ">>>" in (FUNCTIONS[name].__doc__ or "")


@pytest.mark.parametrize("name", gdla.__all__)
def test_a_public_name_is_documented(name):
    assert inspect.getdoc(getattr(gdla, name))


@pytest.mark.parametrize("name", ["minimize", "curvature", "inv", "pinv", "solve", "lstsq", "svd"])
def test_what_can_fail_says_how(name):
    assert "Raises:" in getattr(gdla, name).__doc__
