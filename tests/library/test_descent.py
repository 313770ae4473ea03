"""The loop: what it returns belongs together, and it ends for a reason that it names."""

import math
import sys
from functools import partial

import pytest
import torch

import gdla
from gdla import Status, minimize
from gdla.losses import residual

from .matrices import DTYPES, cast, gaussian, seeded, short

SGD = partial(torch.optim.SGD, lr=0.1)
A = gdla.gallery.geometric(4, 4, 3.0, generator=seeded(1))
EYE = torch.eye(4, dtype=A.dtype)
START = gaussian(4, 4, seed=2)

OPTIMIZERS = {
    "default": None,
    "SGD": SGD,
    "momentum": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
    "Adam": partial(torch.optim.Adam, lr=0.01),
    "LBFGS": partial(torch.optim.LBFGS, lr=1, max_iter=4),
    "Wolfe": partial(torch.optim.LBFGS, max_iter=1, line_search_fn="strong_wolfe"),
    "gdla.LBFGS": gdla.optim.LBFGS,
    "ConjugateGradient": gdla.optim.ConjugateGradient,
}
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)


def bowl(x):
    return 0.5 * (x - 3).square().sum()


def stop_at(step):
    return lambda record, value: record.step == step


def interrupt_at(step):
    def interrupt(record, value):
        if record.step == step:
            raise KeyboardInterrupt

    return interrupt


def interrupted_loss(after):
    """The bowl, until its evaluation number `after` is interrupted."""
    calls = []

    def loss(x):
        calls.append(x)
        if len(calls) == after:
            raise KeyboardInterrupt
        return bowl(x)

    return loss


# --- every way to end -----------------------------------------------------------------------------

ENDS = {
    "at the minimum": (Status.CONVERGED, {"loss": bowl}),
    "at a minimum given as init": (Status.CONVERGED, {"loss": bowl, "init": torch.full((2,), 3.0)}),
    "a gradient below gtol": (Status.CONVERGED, {"loss": bowl, "optimizer": SGD, "gtol": 1e-3}),
    "a constant step that circles": (
        Status.STALLED,
        {"loss": lambda x: (x - 0.03).abs().sum(), "init": torch.ones(2), "optimizer": SGD},
    ),
    "rounding reached, nothing asked": (
        Status.STALLED,
        {"loss": lambda x: (x.cosh() + 0.1 * x).sum(), "optimizer": SGD, "gtol": 0},
    ),
    "too few steps": (Status.EXHAUSTED, {"loss": bowl, "optimizer": SGD, "max_steps": 3}),
    "no steps": (Status.EXHAUSTED, {"loss": bowl, "max_steps": 0}),
    "overflow": (Status.DIVERGED, {"loss": bowl, "optimizer": partial(SGD, lr=10.0)}),
    "not a number": (
        Status.DIVERGED,
        {
            "loss": lambda x: (x - x.log()).sum(),
            "init": torch.full((2,), 3.0),
            "optimizer": partial(SGD, lr=10),
        },
    ),
    "growth without overflow": (
        Status.DIVERGED,
        {"loss": bowl, "optimizer": partial(SGD, lr=2.01), "max_steps": 50},
    ),
    "growth for long": (Status.DIVERGED, {"loss": bowl, "optimizer": partial(SGD, lr=2.01)}),
    "callback": (Status.INTERRUPTED, {"loss": bowl, "optimizer": SGD, "callback": stop_at(3)}),
    "keyboard in callback": (
        Status.INTERRUPTED,
        {"loss": bowl, "optimizer": SGD, "callback": interrupt_at(3)},
    ),
    "keyboard in loss": (Status.INTERRUPTED, {"loss": interrupted_loss(5), "optimizer": SGD}),
    "keyboard in the first loss": (Status.INTERRUPTED, {"loss": interrupted_loss(1)}),
    "keyboard in line search": (Status.INTERRUPTED, {"loss": interrupted_loss(2)}),
}


@pytest.mark.parametrize(("status", "options"), ENDS.values(), ids=ENDS)
def test_each_status_is_reached_for_its_reason(status, options):
    solution = minimize(**{"init": torch.zeros(2), **options})
    assert solution.status is status
    assert solution.steps == len(solution.history) - 1
    assert [record.step for record in solution.history] == list(range(len(solution.history)))


def test_divergence_to_infinity_is_seen_at_once():
    solution = minimize(bowl, torch.zeros(2), optimizer=partial(SGD, lr=1e10))
    assert solution.status is Status.DIVERGED
    assert not math.isfinite(solution.loss)
    assert all(math.isfinite(record.loss) for record in solution.history[:-1])


@pytest.mark.parametrize("step", [0, 1, 3])
def test_an_interrupt_before_a_step_takes_no_step(step):
    asked = minimize(bowl, torch.zeros(2), optimizer=SGD, callback=stop_at(step))
    forced = minimize(bowl, torch.zeros(2), optimizer=SGD, callback=interrupt_at(step))
    assert asked.steps == forced.steps == step
    assert torch.equal(asked.value, forced.value)


@pytest.mark.parametrize("answer", [None, False, 0, 1, "stop"])
def test_only_true_stops(answer):
    solution = minimize(bowl, torch.zeros(2), optimizer=SGD, callback=lambda *_: answer)
    assert solution.status is Status.CONVERGED


def test_an_interrupted_descent_goes_on_from_its_value():
    first = minimize(bowl, torch.zeros(2), optimizer=SGD, callback=stop_at(5))
    second = minimize(bowl, first.value, optimizer=SGD, max_steps=5)
    whole = minimize(bowl, torch.zeros(2), optimizer=SGD, max_steps=10)
    assert torch.equal(second.value, whole.value)


# --- when to stop ---------------------------------------------------------------------------------


@every_optimizer
def test_converged_means_that_the_gradient_reached_gtol_and_no_earlier(optimizer):
    solution = minimize(residual(A, EYE), START, optimizer=optimizer, gtol=1e-5)
    assert solution.converged
    assert solution.gradient_norm <= 1e-5
    assert all(record.gradient_norm > 1e-5 for record in solution.history[:-1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=short)
def test_gtol_defaults_to_half_of_the_digits_of_the_first_gradient(dtype):
    solution = minimize(residual(A.to(dtype), EYE.to(dtype)), START.to(dtype), optimizer=SGD)
    bound = torch.finfo(dtype).eps ** 0.5 * solution.history[0].gradient_norm
    assert solution.converged
    assert solution.gradient_norm <= bound < solution.history[-2].gradient_norm


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_max_steps_bounds_the_steps(steps):
    assert minimize(residual(A, EYE), START, optimizer=SGD, max_steps=steps).steps == steps


# --- what is returned -----------------------------------------------------------------------------


def watched(init, **options):
    points = []
    solution = minimize(
        residual(A, EYE),
        init,
        callback=lambda record, value: points.append((record, value)),
        **options,
    )
    return solution, points


@every_optimizer
def test_each_record_is_of_the_point_before_its_step(optimizer):
    solution, points = watched(START, optimizer=optimizer, max_steps=12)
    assert torch.equal(points[0][1], START)
    assert tuple(record for record, _ in points) == solution.history[: len(points)]
    points.append((solution.history[-1], solution.value))
    for record, X in points:
        gradient = A.T @ (A @ X - EYE)
        assert record.loss == pytest.approx(residual(A, EYE)(X).item(), rel=1e-12)
        # Near the minimum the gradient is what cancellation left of terms of size one.
        assert record.gradient_norm == pytest.approx(gradient.norm().item(), rel=1e-12, abs=1e-14)


def test_the_seconds_never_fall():
    seconds = [record.seconds for record in minimize(bowl, torch.zeros(2), optimizer=SGD).history]
    assert seconds[0] >= 0
    assert seconds == sorted(seconds)


INITS = {
    "single": START,
    "transposed": START.T,
    "view": gaussian(8, 4)[::2],
    "expanded": torch.ones(4, dtype=A.dtype).expand(4, 4),
}


@every_optimizer
@pytest.mark.parametrize("init", INITS.values(), ids=INITS)
def test_init_is_copied_and_never_changed(init, optimizer):
    before = init.clone()
    solution, points = watched(init, optimizer=optimizer, max_steps=3)
    assert torch.equal(init, before)
    assert not init.requires_grad
    assert init.grad is None
    assert solution.value.shape == init.shape
    assert not solution.value.requires_grad
    storages = {value.data_ptr() for _, value in points} | {init.data_ptr()}
    assert solution.value.data_ptr() not in storages


def test_what_a_callback_does_to_its_value_does_not_disturb_the_descent():
    spoiled = minimize(bowl, torch.zeros(2), optimizer=SGD, callback=lambda _, value: value.zero_())
    assert torch.equal(spoiled.value, minimize(bowl, torch.zeros(2), optimizer=SGD).value)


@pytest.mark.parametrize("shapes", [[()], [(2,)], [(2,), (3, 1)], [(), (2, 2), (1,)]])
@pytest.mark.parametrize("optimizer", [None, SGD], ids=["default", "SGD"])
def test_the_structure_of_init_is_kept(shapes, optimizer):
    init = tuple(torch.zeros(shape) for shape in shapes)
    solution = minimize(lambda *xs: sum(bowl(x) for x in xs), init, optimizer=optimizer)
    assert isinstance(solution.value, tuple)
    assert [x.shape for x in solution.value] == [x.shape for x in init]
    assert all(torch.allclose(x, torch.tensor(3.0), atol=1e-3) for x in solution.value)


def test_the_gradient_norm_is_taken_over_all_unknowns_together():
    init = (torch.zeros(2), torch.zeros(3, 1))
    solution = minimize(lambda x, y: bowl(x) + bowl(y), init, max_steps=0)
    assert solution.gradient_norm == pytest.approx(3 * math.sqrt(5))


@pytest.mark.parametrize("dtype", DTYPES, ids=short)
@every_optimizer
def test_every_optimizer_descends_in_every_dtype(optimizer, dtype):
    loss = residual(cast(A, dtype), EYE.to(dtype))
    solution = minimize(loss, START.to(dtype), optimizer=optimizer, gtol=1e-3)
    assert solution.converged
    assert solution.value.dtype == dtype
    # The smallest curvature is 1/9; a gradient g leaves an error of at most 9 g.
    error = torch.linalg.matrix_norm(solution.value - torch.linalg.inv(cast(A, dtype)))
    assert error <= 9 * 1.001e-3


# --- the same loop as by hand ---------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=short)
def test_sgd_is_the_loop_written_by_hand_bit_for_bit(momentum, dtype):
    matrix, eye, X = A.to(dtype), EYE.to(dtype), START.to(dtype).clone()
    velocity = torch.zeros_like(X)
    for _ in range(100):
        X.requires_grad_()
        (gradient,) = torch.autograd.grad(residual(matrix, eye)(X), X)
        velocity = momentum * velocity + gradient
        X = X.detach().add(velocity, alpha=-0.1)  # multiplied and added in one rounding
    method = partial(torch.optim.SGD, lr=0.1, momentum=momentum)
    solution = minimize(
        residual(matrix, eye), START.to(dtype), optimizer=method, max_steps=100, gtol=0
    )
    assert torch.equal(solution.value, X)


@every_optimizer
def test_the_loop_is_that_of_torch(optimizer):
    X = START.clone().requires_grad_()
    method = (optimizer or gdla.optim.LBFGS)([X])

    def closure():
        method.zero_grad()
        loss = residual(A, EYE)(X)
        loss.backward()
        return loss

    for _ in range(5):
        method.step(closure)
    solution = minimize(residual(A, EYE), START, optimizer=optimizer, max_steps=5, gtol=0)
    assert torch.equal(solution.value, X.detach())


# --- the world around -----------------------------------------------------------------------------


@every_optimizer
def test_a_descent_works_where_gradients_are_switched_off(optimizer):
    with torch.no_grad():
        inside = minimize(residual(A, EYE), START, optimizer=optimizer, max_steps=5)
        assert not torch.is_grad_enabled()
    outside = minimize(residual(A, EYE), START, optimizer=optimizer, max_steps=5)
    assert torch.equal(inside.value, outside.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: minimize(bowl, torch.zeros(2)),
        lambda: minimize(bowl, torch.zeros(2), optimizer=partial(SGD, lr=10.0)),
        lambda: gdla.inv(A),
        lambda: gdla.pinv(A),
        lambda: gdla.solve(A, EYE),
        lambda: gdla.lstsq(A, EYE),
        lambda: gdla.svd(A),
        lambda: gdla.svdvals(A.float(), optimizer=gdla.optim.LBFGS),
        lambda: gdla.curvature(bowl, torch.zeros(2)),
        lambda: gdla.gallery.original("M1"),
        lambda: gdla.gallery.low_rank(4, 3, 2, generator=seeded()),
    ],
    ids=[
        "minimize",
        "diverge",
        "inv",
        "pinv",
        "solve",
        "lstsq",
        "svd",
        "svdvals",
        "curvature",
        "original",
        "low_rank",
    ],
)
@pytest.mark.parametrize("grad", [True, False])
def test_global_state_is_left_alone(call, grad):
    def state():
        return (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch._tensor_str.PRINT_OPTS.__dict__.copy(),
            torch.get_rng_state().tolist(),
        )

    with torch.set_grad_enabled(grad):
        before = state()
        call()
        assert state() == before


def test_the_progress_bar_counts_the_steps(capsys):
    pytest.importorskip("tqdm")  # tests are run with the extra; see the next one for its absence
    quiet = minimize(bowl, torch.zeros(2), optimizer=SGD, max_steps=7)
    assert capsys.readouterr().err == ""
    shown = minimize(bowl, torch.zeros(2), optimizer=SGD, max_steps=7, progress=True)
    assert "7/7" in capsys.readouterr().err
    assert torch.equal(quiet.value, shown.value)


@pytest.mark.parametrize("function", [gdla.inv, gdla.svd, gdla.svdvals, gdla.pinv])
def test_every_function_shows_progress(function, capsys):
    function(A, progress=True)
    assert "step/s" in capsys.readouterr().err


def test_without_tqdm_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"needs tqdm; pip install 'gdla\[progress\]'"):
        minimize(bowl, torch.zeros(2), progress=True)


# --- what is refused ------------------------------------------------------------------------------

BAD_LOSSES = {
    "vector": (lambda x: x, ValueError, r"one real number, got shape \(2,\).*sum it"),
    "complex": (lambda x: x.sum() * 1j, ValueError, r"one real number, got shape \(\) of torch.c"),
    "number": (lambda x: 1.0, TypeError, "must return a torch.Tensor, got float"),
    "None": (lambda x: None, TypeError, "must return a torch.Tensor, got NoneType"),
    "detached": (lambda x: bowl(x.detach()), ValueError, r"no gradient.*without \.detach"),
    "constant": (lambda x: torch.ones(()), ValueError, "no gradient; compute it from its argument"),
    "nan": (lambda x: bowl(x) * torch.nan, ValueError, "loss at init is nan.*start where"),
    "infinite": (lambda x: (1 / x).sum(), ValueError, "loss at init is inf"),
    "steep": (lambda x: x.sqrt().sum(), ValueError, "gradient has norm inf"),
    "no function": (torch.zeros(2), TypeError, "loss must be callable, got Tensor"),
}


@pytest.mark.parametrize(("loss", "error", "message"), BAD_LOSSES.values(), ids=BAD_LOSSES)
def test_a_loss_that_cannot_be_descended_is_refused(loss, error, message):
    with pytest.raises(error, match=message):
        minimize(loss, torch.zeros(2))


def test_a_loss_must_depend_on_each_unknown():
    with pytest.raises(ValueError, match=r"does not depend on init\[1\]; compute it from"):
        minimize(lambda x, y: bowl(x), (torch.zeros(2), torch.zeros(2)))
    weight = torch.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match=r"does not depend on init; compute it from"):
        minimize(lambda x: bowl(weight), torch.zeros(2))


@pytest.mark.parametrize(
    "optimizer",
    [torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1), "adam", 0.1, {"lr": 0.1}],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_an_optimizer_is_a_factory(optimizer):
    with pytest.raises(TypeError, match=r"must be a factory such as functools\.partial.*got"):
        minimize(bowl, torch.zeros(2), optimizer=optimizer)


@pytest.mark.parametrize("steps", [-1, 1.5, True, None])
def test_max_steps_is_a_whole_number(steps):
    with pytest.raises(ValueError, match=f"max_steps must be a whole number.*got {steps!r}"):
        minimize(bowl, torch.zeros(2), max_steps=steps)


@pytest.mark.parametrize("gtol", [-1.0, float("nan"), float("inf"), True, "1e-3"])
def test_gtol_is_a_number_or_none(gtol):
    with pytest.raises(ValueError, match=f"gtol must be None or a finite number.*got {gtol!r}"):
        minimize(bowl, torch.zeros(2), gtol=gtol)


def test_an_init_of_nothing_is_refused():
    with pytest.raises(ValueError, match="empty tuple; pass at least one tensor"):
        minimize(bowl, ())


def test_the_message_names_the_tensor_of_a_tuple():
    with pytest.raises(TypeError, match=r"init\[1\] must be float32.*got int64"):
        minimize(lambda x, y: bowl(x), (torch.zeros(2), torch.zeros(2, dtype=torch.int64)))


# --- a promise of accuracy ------------------------------------------------------------------------


def test_a_descent_below_its_promise_raises_and_keeps_what_it_reached():
    with pytest.raises(gdla.NotConverged) as caught:
        gdla.inv(A, optimizer=SGD, max_steps=3)
    solution = caught.value.solution
    assert solution.status is Status.EXHAUSTED
    assert solution.steps == 3
    assert "inv ended with a scaled residual of" in str(caught.value)
    assert "limit of 30, after 3 steps" in str(caught.value)
    assert Status.EXHAUSTED.value in str(caught.value)


def test_the_callback_of_the_caller_sees_each_step_and_may_stop():
    records = []
    gdla.inv(A, callback=lambda record, value: records.append(record))
    assert [record.step for record in records] == list(range(len(records)))
    with pytest.raises(gdla.NotConverged) as caught:
        gdla.inv(A, callback=lambda record, value: record.step == 1)
    assert caught.value.solution.steps == 1


@pytest.mark.parametrize("condition", [10.0, 100.0, 300.0])
def test_a_ball_that_first_climbs_is_given_time_to_come_down(condition):
    # With the best momentum the error begins as k rho^k: at condition 300 the loss stands above
    # its start for hundreds of steps.
    A = gdla.gallery.geometric(4, 4, condition, generator=torch.Generator().manual_seed(4))
    loss, start = gdla.losses.residual(A, torch.eye(4).double()), torch.zeros(4, 4).double()
    bend = gdla.curvature(loss, start)
    ball = partial(torch.optim.SGD, lr=bend.lr, momentum=bend.momentum)
    solution = gdla.minimize(loss, start, optimizer=ball)
    assert solution.converged, solution


def test_a_loss_above_its_start_by_one_digit_has_not_diverged():
    # In float32 the loss is 1 at x = 0 and the next number above it at x = 1, and so on for ever.
    def loss(x):
        return 1 + 1e-7 * (x - 0.3).abs()

    solution = minimize(loss, torch.tensor(0.0), optimizer=partial(torch.optim.SGD, lr=1e7))
    assert solution.loss > solution.history[0].loss
    assert solution.status is Status.STALLED
