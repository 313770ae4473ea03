"""What all functions share: steps counted together, answers of one's own shape, clear failures."""

import itertools
import pickle
import re
from functools import partial

import pytest
import torch

import gdla
from gdla import NotConverged, Status, gallery

from .matrices import gaussian, norm, seeded

EASY = gallery.geometric(8, 8, 10.0, generator=seeded(1))
SINGULAR = torch.ones(3, 3, dtype=torch.float64)
SGD = partial(torch.optim.SGD, lr=1e-3)

FUNCTIONS = {
    "inv": gdla.inv,
    "pinv": gdla.pinv,
    "solve": lambda A, **options: gdla.solve(A, A[..., :2] + 1, **options),
    "lstsq": lambda A, **options: gdla.lstsq(A, A[..., :2] + 1, **options),
    "svd": gdla.svd,
    "svdvals": gdla.svdvals,
    "eigh": lambda A, **options: gdla.eigh(A + A.mH, **options),
    "eigvalsh": lambda A, **options: gdla.eigvalsh(A + A.mH, **options),
    "polar": gdla.polar,
}
every_function = pytest.mark.parametrize("name", FUNCTIONS)


def watched(function, *arguments, **options):
    """Call with a callback that only watches; return the answer, the records and the values."""
    seen = []
    answer = function(*arguments, callback=lambda *now: seen.append(now), **options)
    return answer, [record for record, _ in seen], [value for _, value in seen]


def failure(function, *arguments, **options):
    with pytest.raises(NotConverged) as caught:
        function(*arguments, **options)
    return caught.value


# --- failures say what to do ----------------------------------------------------------------------

REMEDIES = {
    "inv": "If A is singular it has no inverse: use pinv.",
    "solve": "If A is singular there may be no solution: use lstsq.",
    "pinv": "The condition of A may be out of reach of this optimizer.",
    "lstsq": "The condition of A may be out of reach of this optimizer.",
    "svd": "Its vectors may be nearly undetermined.",
    "svdvals": "Its vectors may be nearly undetermined.",
    "eigh": "Its vectors may be nearly undetermined.",
    "eigvalsh": "Its vectors may be nearly undetermined.",
    "polar": "Its vectors may be nearly undetermined.",
}


@every_function
@pytest.mark.parametrize("optimizer", [None, SGD], ids=["default", "SGD"])
def test_a_failure_names_function_residual_steps_remedy_and_status(name, optimizer):
    error = failure(FUNCTIONS[name], EASY, optimizer=optimizer, max_steps=1)
    said = re.match(
        rf"{name} ended with a scaled residual of (\S+), above the limit of 30, after 1 steps\.",
        str(error),
    )
    assert said
    assert float(said[1]) == pytest.approx(error.solution.residual.max().item(), rel=1e-2)
    assert REMEDIES[name] in str(error)
    assert str(error).endswith(error.solution.status.value)
    assert error.solution.status is Status.EXHAUSTED
    assert error.solution.steps == 1


@pytest.mark.parametrize("bad", [1, 2, 5])
def test_a_failure_in_a_batch_says_of_how_many(bad):
    A = EASY[:3, :3].expand(6, 3, 3).clone()
    A[:bad] = SINGULAR
    error = failure(gdla.inv, A.reshape(2, 3, 3, 3))
    assert f" for {bad} of 6 matrices, " in str(error)
    assert int((error.solution.residual >= 30).sum()) == bad
    assert error.solution.value.shape == (2, 3, 3, 3)


def test_a_failure_of_one_matrix_counts_none():
    assert "matrices" not in str(failure(gdla.inv, SINGULAR))


def test_a_singular_matrix_is_told_how_near_to_the_identity_it_comes():
    # Of the columns of I, all of ones reaches the mean alone.
    error = failure(gdla.inv, SINGULAR)
    said = re.search(r"The best X leaves \|\|A X - I\|\| = (\S+)\.", str(error))
    assert float(said[1]) == pytest.approx(2**0.5, rel=1e-2)
    assert norm(SINGULAR @ error.solution.value - torch.eye(3)) == pytest.approx(2**0.5)


def test_a_failure_is_never_called_converged():
    for function in (gdla.inv, lambda A: gdla.solve(A, torch.arange(3.0).double())):
        error = failure(function, SINGULAR)
        assert error.solution.status is Status.STALLED
        assert not error.solution.converged


def test_a_failure_is_an_error_of_linear_algebra_and_crosses_processes():
    error = failure(gdla.inv, SINGULAR)
    assert isinstance(error, torch.linalg.LinAlgError | RuntimeError)
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert torch.equal(copy.solution.value, error.solution.value)


@every_function
def test_an_unknown_keyword_is_refused_by_its_name(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'learning_rate'"):
        FUNCTIONS[name](EASY, learning_rate=0.1)


# --- steps are counted together -------------------------------------------------------------------


def of_rank(m, n, rank):
    S = torch.linspace(1, 2, rank, dtype=torch.float64)
    zeros = torch.zeros(min(m, n) - rank, dtype=torch.float64)
    return gallery.with_singular_values(torch.cat([S, zeros]), m, n, generator=seeded(2))


# What asks for more than one metric: these, one after the other.
SEVERAL = {
    "Inverse, Rotations": (gdla.pinv, of_rank(12, 12, 7)),
    "Inverse, Rotations of a part": (gdla.pinv, torch.stack([EASY, of_rank(8, 8, 5)])),
    "Inverse, Rotations, Preconditioned": (
        lambda A, **options: gdla.lstsq(A, gaussian(12, 2), **options),
        of_rank(12, 9, 5),
    ),
    "Conjugate, Inverse, Preconditioned": (
        lambda A, **options: gdla.solve(A, gaussian(32), **options),
        gallery.geometric(32, 32, 1e6, generator=seeded(1)),
    ),
    "Inverse, Rotations, Preconditioned of a singular system": (
        lambda A, **options: gdla.solve(A, A @ gaussian(12, 2), **options),
        of_rank(12, 12, 7),
    ),
}
SEVERAL["Rotations, Rotations of twice the digits"] = (
    gdla.svdvals,
    gallery.arithmetic(128, 128, 100.0, generator=seeded(3)),
)
several_metrics = pytest.mark.parametrize(("function", "A"), SEVERAL.values(), ids=SEVERAL)


@pytest.mark.parametrize("names", SEVERAL)
def test_several_metrics_are_tried(names, monkeypatch):
    tried = []

    def minimize(loss, init, **options):
        tried.append(type(loss).__name__)
        return gdla.minimize(loss, init, **options)

    monkeypatch.setattr("gdla.walk.minimize", minimize)
    function, A = SEVERAL[names]
    function(A)
    assert tried == names.split(" of ")[0].split(", ")


@several_metrics
def test_the_count_goes_on_from_one_metric_to_the_next(function, A):
    _, records, _ = watched(function, A)
    steps = [record.step for record in records]
    assert steps[0] == 0
    assert steps[-1] > 2
    assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(steps))
    seconds = [record.seconds for record in records]
    assert seconds == sorted(seconds)


@several_metrics
def test_all_metrics_share_one_bound_on_the_steps(function, A):
    _, records, _ = watched(function, A)
    needed = records[-1].step + 1
    function(A, max_steps=needed + 1)
    failed = 0
    for most in range(needed):
        taken = []
        try:
            function(A, max_steps=most, callback=lambda record, _, to=taken: to.append(record.step))
        except NotConverged as error:
            failed += 1
            assert [record.step for record in error.solution.history] == list(range(most + 1))
        assert max(taken, default=0) < max(most, 1)
    assert failed >= needed - 1  # the last step may only have polished


@several_metrics
def test_the_history_of_a_failure_holds_each_step_once(function, A):
    _, records, _ = watched(function, A)
    for calls in range(1, len(records)):  # at the last all may be accurate enough
        error = failure(function, A, callback=stop_after(calls))
        assert error.solution.status is Status.INTERRUPTED
        steps = [record.step for record in error.solution.history]
        assert steps == list(range(records[calls - 1].step + 1))


def stop_after(calls):
    """A callback that stops when it is called this often."""
    count = itertools.count(1)
    return lambda *_: next(count) >= calls


# --- callbacks see answers ------------------------------------------------------------------------


@every_function
@pytest.mark.parametrize("batch", [(), (3,), (2, 1, 3)], ids=str)
def test_the_callback_sees_answers_of_the_shape_of_the_answer(name, batch):
    A = EASY.expand(*batch, 8, 8) * torch.linspace(1, 2, 3).double()[:, None, None]
    A = (A if batch else A[0]).reshape(*batch, 8, 8)
    answer, records, values = watched(FUNCTIONS[name], A)
    assert len(values) == len(records) > 0
    for value in values:
        shapes = [x.shape for x in as_tuple(value)]
        assert all(shape[: len(batch)] == batch for shape in shapes)
    if name in ("inv", "pinv", "svd", "eigh"):
        assert shapes == [x.shape for x in as_tuple(answer)]
    if name in ("svdvals", "eigvalsh", "polar"):  # they see the factors
        assert len(shapes) == (2 if name == "eigvalsh" else 3)


def as_tuple(value):
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def test_the_values_come_nearer_to_the_answer():
    for name in ("inv", "svd"):
        answer, _, values = watched(FUNCTIONS[name], EASY)
        answer = as_tuple(answer)[name == "svd"]  # the singular values
        errors = [(as_tuple(value)[name == "svd"] - answer).norm() for value in values]
        assert errors[-1] < 0.5 * errors[0]
        assert errors[-1] < 0.2 * answer.norm()


def test_the_callback_of_a_wide_matrix_sees_the_adjoint():
    _, _, values = watched(gdla.svd, gaussian(4, 7), full_matrices=False)
    assert [x.shape for x in values[-1]] == [(7, 4), (4,), (4, 4)]


@every_function
@pytest.mark.parametrize("optimizer", [None, SGD], ids=["default", "SGD"])
@pytest.mark.parametrize("step", [0, 1])
def test_true_stops_at_once(name, optimizer, step):
    calls = []

    def stop(record, value):
        calls.append(record.step)
        return record.step == step

    error = failure(FUNCTIONS[name], EASY, optimizer=optimizer, callback=stop)
    assert error.solution.status is Status.INTERRUPTED
    assert error.solution.steps == step
    assert calls == list(range(step + 1))


@several_metrics
def test_true_stops_the_metrics_that_were_to_follow(function, A):
    _, records, _ = watched(function, A)
    for last in range(1, len(records)):
        count = itertools.count(1)
        # Asked for once only: a callback that is called again would not repeat itself.
        failure(function, A, callback=lambda *_, count=count, last=last: next(count) == last)
        assert next(count) == last + 1


@every_function
def test_only_true_stops(name):
    FUNCTIONS[name](EASY, callback=lambda *_: 1)


def test_changing_what_the_callback_sees_changes_nothing():
    def spoil(_, value):
        for x in as_tuple(value):
            x.zero_()

    assert torch.equal(gdla.inv(EASY, callback=spoil), gdla.inv(EASY))
    assert torch.equal(gdla.svdvals(EASY, callback=spoil), gdla.svdvals(EASY))


@every_function
def test_a_gtol_that_is_too_loose_is_refused_not_believed(name):
    error = failure(FUNCTIONS[name], EASY, optimizer=SGD, gtol=1e6)
    assert error.solution.status is Status.CONVERGED  # the gradient did what was asked
    assert error.solution.steps == 0
