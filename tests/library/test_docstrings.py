"""Every public name is documented, and every example in a docstring is true."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

import gdla

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(gdla.__path__, prefix="gdla.")
]
# What users have no reason to import: documented like the rest, but without examples.
INTERNAL = (
    "gdla.checks",
    "gdla.diagnostics.cases",
    "gdla.diagnostics.ended",
    "gdla.diagnostics.walked",
    "gdla.diagnostics.watching",
    "gdla.diagnostics.written",
    "gdla.gallery.entries",
    "gdla.implicit",
    "gdla.metrics",
    "gdla.points",
    "gdla.solvers",
    "gdla.walk",
)
FUNCTIONS = {
    f"{module.__name__}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}
DRAWS = {"gdla.plots.axes", "gdla.plots.convergence", "gdla.plots.landscape", "gdla.plots.matrices"}
CLASSES = {
    f"{module.__name__}.{name}": value
    for module in MODULES
    for name, value in inspect.getmembers(module, inspect.isclass)
    if value.__module__ == module.__name__ and not name.startswith("_")
}
SHOWN = sorted(name for name in FUNCTIONS.keys() - DRAWS if not name.startswith(INTERNAL))


def test_folders_are_reached():
    names = {module.__name__ for module in MODULES}
    assert {"gdla.equations", "gdla.gallery.spectrum", "gdla.metrics.inverses"} <= names
    assert "gdla.gallery.spectrum.geometric" in SHOWN


def test_what_is_called_internal_exists():
    assert set(INTERNAL) <= {module.__name__ for module in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_are_true(module):
    names = {"torch": torch, **vars(module)}
    failed, _ = doctest.testmod(module, extraglobs=names)
    assert failed == 0


@pytest.mark.parametrize("name", SHOWN)
def test_a_public_function_shows_an_example(name):
    assert ">>>" in (FUNCTIONS[name].__doc__ or "")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_module_says_what_it_is_for(module):
    assert module.__doc__


@pytest.mark.parametrize("name", sorted({**FUNCTIONS, **CLASSES}))
def test_what_has_no_underscore_is_documented(name):
    thing = {**FUNCTIONS, **CLASSES}[name]
    assert thing.__doc__  # of its own: inspect.getdoc would also take that of a base class


@pytest.mark.parametrize("name", gdla.__all__)
def test_a_public_name_is_documented(name):
    assert inspect.getdoc(getattr(gdla, name))


FALLIBLE = ["minimize", "curvature", "inv", "pinv", "solve", "lstsq"]
FALLIBLE += ["svd", "svdvals", "eigh", "eigvalsh", "polar"]


@pytest.mark.parametrize("name", FALLIBLE)
def test_what_can_fail_says_how(name):
    assert "Raises:" in getattr(gdla, name).__doc__
