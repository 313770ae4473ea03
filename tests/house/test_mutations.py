"""A mutation changes every number of a result and nothing else, wherever the function is bound."""

import inspect
from contextlib import nullcontext

import pytest
import torch
from matplotlib.figure import Figure

import gdla
import noxfile
from gdla import Curvature, Record, Status, descent, losses, metrics, optim, plots, walk
from tests.mutations import mutants, run
from tests.mutations.mutants import mutated, scaled

ALL = mutants.mutants()
TEN = torch.tensor([10.0, -20.0])


def changed(name, factor=1.5):
    return mutated(ALL[name], factor)


# --- results --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64])
def test_tensors_of_inexact_numbers_are_multiplied(dtype):
    result = scaled(TEN.to(dtype), 1.5)
    assert result.dtype == dtype
    assert result.tolist() == [15, -30]


@pytest.mark.parametrize("value", [torch.tensor([1, 2]), torch.tensor([True, False])], ids=str)
def test_tensors_of_other_kinds_stay(value):
    assert scaled(value, 1.5) is value


@pytest.mark.parametrize(
    ("value", "expected"),
    [(2.0, 3.0), (1 + 2j, 1.5 + 3j), (4, 6), (3, 5), (0, 0), (float("inf"), float("inf"))],
)
def test_numbers_are_multiplied_and_whole_ones_rounded_up(value, expected):
    result = scaled(value, 1.5)
    assert result == expected
    assert type(result) is type(value)


@pytest.mark.parametrize("value", [None, True, "1.0", Status.CONVERGED, float, torch.float64])
def test_what_is_no_number_stays(value):
    assert scaled(value, 1.5) is value


def test_the_parts_of_tuples_and_lists_are_multiplied():
    assert scaled((2.0, [4.0, None], ()), 1.5) == (3.0, [6.0, None], ())


def test_a_named_tuple_keeps_its_name():
    result = scaled(Record(4, 2.0, 6.0, 0.0), 1.5)
    assert type(result) is Record
    assert result == (6, 3.0, 9.0, 0.0)


def test_a_named_tuple_of_torch_keeps_its_name():
    factors = torch.linalg.svd(torch.eye(2))
    result = scaled(factors, 1.5)
    assert type(result) is type(factors)
    assert result.S.tolist() == [1.5, 1.5]


def test_the_fields_of_a_dataclass_are_multiplied():
    assert scaled(Curvature(4.0, 2.0), 1.5) == Curvature(6.0, 3.0)
    solution = gdla.minimize(lambda x: (x - 3).square().sum(), torch.zeros(2), max_steps=1)
    result = scaled(solution, 1.5)
    assert torch.equal(result.value, 1.5 * solution.value)
    assert (result.status, result.residual) == (solution.status, None)
    assert (solution.steps, result.steps) == (1, 2)
    assert result.loss == 1.5 * solution.loss


def test_of_a_returned_function_what_it_returns_is_multiplied():
    loss = losses.residual(torch.eye(2), torch.eye(2))
    assert scaled(loss, 1.5)(torch.zeros(2, 2)).item() == 1.5


def test_gradients_flow_through_a_changed_result():
    x = torch.ones(2, requires_grad=True)
    (gradient,) = torch.autograd.grad(scaled((x.square().sum(),), 1.5)[0], x)
    assert gradient.tolist() == [3.0, 3.0]


# --- functions ------------------------------------------------------------------------------------


def test_what_is_public_and_computes_is_found():
    public = {name for name in gdla.__all__ if inspect.isfunction(getattr(gdla, name))}
    public |= {f"gallery.{name}" for name in gdla.gallery.__all__}
    assert public | {"losses.residual", "rates.contraction", "metrics.inverse_error"} <= set(ALL)
    assert {"metrics.Rotations", "optim.LBFGS", "plots.landscape"} <= set(ALL)
    assert not {"metrics.Metric", "metrics.Measured", "optim.Closure", "plots.axes"} & set(ALL)
    assert not [name for name in ALL if name.split(".")[-1].startswith("_")]


def test_who_imported_a_function_sees_the_changed_one_until_the_end():
    right = gdla.minimize
    with changed("minimize"):
        assert gdla.minimize is descent.minimize is walk.minimize is not right
        assert inspect.signature(gdla.minimize) == inspect.signature(right)
        assert gdla.minimize.__doc__ == right.__doc__
    assert gdla.minimize is descent.minimize is walk.minimize is right


@pytest.mark.parametrize("name", ALL)
def test_a_factor_of_one_is_bound_everywhere_and_given_back(name):
    right = ALL[name].function
    with changed(name, 1.0):
        for owner, attribute in ALL[name].places:
            assert inspect.unwrap(vars(owner)[attribute]) is inspect.unwrap(right)
            assert vars(owner)[attribute] is not right
    assert ALL[name].function is right


def test_the_call_of_a_metric_is_changed_and_not_that_of_its_base():
    A, U = torch.eye(2)[None], torch.tensor([[[1.0, 0.5], [-0.5, 1.0]]])
    right = metrics.Rotation(A)(U)
    with changed("metrics.Rotations"):
        assert torch.equal(metrics.Rotation(A)(U).loss, right.loss)
    with changed("metrics.Rotation"):
        assert torch.equal(metrics.Rotation(A)(U).residual, 1.5 * right.residual)


def test_the_step_of_an_optimizer_is_changed():
    def path(x):
        x = torch.tensor([x], requires_grad=True)
        optimizer = optim.ConjugateGradient([x])

        def closure():
            optimizer.zero_grad()
            loss = 2 * x.square().sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return x.item()

    assert path(4.0) == 0
    with changed("optim.ConjugateGradient"):
        assert path(4.0) == -2
    with changed("optim.ConjugateGradient", 1.0):
        assert path(4.0) == 0


def test_the_heights_of_a_picture_are_changed_once(monkeypatch):
    ax = Figure().subplots()
    monkeypatch.setattr(plots, "axes", lambda: nullcontext(ax))
    with changed("plots.convergence"):  # calls itself, since it is given no axes
        plots.convergence({"plain": [4.0, 2.0]})
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == [0, 1]
    assert list(line.get_ydata()) == [6, 3]


# --- the tests that shall catch them --------------------------------------------------------------

SOURCE = """
from pytest import mark
def test_both(): inv, svd
def help(): inv
@mark.usefixtures("inv")
def test_one():
    pass
def test_none(): inverse
"""


def test_the_tests_that_name_a_function_come_first_and_other_files_last(tmp_path):
    own, other = tmp_path / "test_equations.py", tmp_path / "test_checks.py"
    own.write_text(SOURCE)
    other.write_text("inv")
    (tmp_path / "test_walk.py").write_text("inverse")
    assert run.stages("inv", tmp_path) == [
        [f"{own}::test_both", f"{own}::test_one"],
        [str(own)],
        [str(other)],
    ]
    assert run.stages("gallery.skew", tmp_path) == []


@pytest.mark.parametrize("test", run.BLIND)
def test_what_may_not_catch_a_change_exists(test):
    file, _, name = test.partition("::")
    assert name in run.tests_in((run.LIBRARY / file).read_text(encoding="utf-8"))


def test_a_word_chooses_a_function_or_all_of_a_module():
    assert run.chosen(["inv"]) == ["inv"]
    assert run.chosen(["rates", "inv"])[0] == "inv"
    assert set(run.chosen(["rates"])) == {name for name in ALL if name.startswith("rates.")}
    assert run.chosen([]) == list(ALL)
    with pytest.raises(SystemExit, match="nothing public is called inverse; there are minimize"):
        run.chosen(["inverse"])


def test_a_change_that_survives_or_was_caught_for_another_reason_is_said_to_be():
    caught = run.Verdict("inv", "tests/library/test_walk.py::test_all", 1.0)
    assert run.line(caught).split() == ["inv", "1.0", "test_walk.py::test_all"]
    assert "survived" in run.line(caught._replace(caught_by=None))
    assert run.line(caught._replace(objection="why")).endswith("test_all (why)")


def test_the_session_takes_one_thread():
    assert "ONE_THREAD" in inspect.getsource(noxfile.mutations)
