"""`diagnose` names the cause of each failure, and finds none in a run that is healthy."""

import math
import pickle
from functools import partial

import pytest
import torch

import gdla
from gdla import Cause, diagnose, gallery, losses
from gdla.losses import mse, residual

SGD, Adam = torch.optim.SGD, torch.optim.Adam
DTYPES = [torch.float32, torch.float64]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def eye(n, dtype):
    return torch.eye(n, dtype=dtype)


def conditioned(condition, dtype, n=6, seed=1):
    return gallery.geometric(n, n, condition, generator=seeded(seed)).to(dtype)


def inverse(A):
    """The loss of the inverse of A, and a start."""
    return residual(A, eye(len(A), A.dtype)), torch.zeros_like(A)


def safe(A):
    return partial(SGD, lr=1 / torch.linalg.matrix_norm(A, 2).item() ** 2)


# One failure each: dtype -> what diagnose takes.


def too_high(dtype):
    A = conditioned(10, dtype)
    return *inverse(A), partial(SGD, lr=2.1 / torch.linalg.matrix_norm(A, 2).item() ** 2)


def too_high_with_momentum(dtype):
    A = conditioned(10, dtype)
    L = torch.linalg.matrix_norm(A, 2).item() ** 2
    return *inverse(A), partial(SGD, lr=4 / L, momentum=0.9)


def too_high_for_nesterov(dtype):
    """His cliff is nearer than that of the ball: 4/3 / L for this momentum, and not 3.8 / L."""
    A = conditioned(10, dtype)
    L = torch.linalg.matrix_norm(A, 2).item() ** 2
    return *inverse(A), partial(SGD, lr=1.5 / L, momentum=0.9, nesterov=True)


def too_high_for_adam(dtype):
    def narrow(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    return narrow, torch.tensor([0.9, 0.8], dtype=dtype), partial(Adam, lr=30.0)


def too_low(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), partial(SGD, lr=1e-4), {"max_steps": 500}


def too_low_for_adam(dtype):
    far = torch.full((3,), 1000.0, dtype=dtype)
    return lambda x: (x - far).square().sum(), 0 * far, partial(Adam, lr=1e-3), {"max_steps": 300}


def units(dtype):
    metres = torch.tensor([1.0, 1e3, 30.0], dtype=dtype)

    def loss(x):
        return 0.5 * (metres * x - 1).square().sum()

    return loss, torch.zeros(3, dtype=dtype), partial(SGD, lr=1e-6), {"max_steps": 2_000}


def narrow(dtype):
    A = conditioned(100, dtype)
    return *inverse(A), safe(A), {"max_steps": 1_000}


def broadcast(dtype):
    """Five measurements as a column, five predictions as a row."""
    t = torch.linspace(0, 1, 5, dtype=dtype)
    measured = (2 + 3 * t).reshape(5, 1)

    def loss(line):
        return (line[0] + line[1] * t - measured).square().mean()

    return loss, torch.zeros(2, dtype=dtype)


def reshaped(dtype):
    A = torch.rand(5, 3, generator=seeded(2), dtype=dtype)
    b = torch.rand(3, generator=seeded(3), dtype=dtype)
    return lambda x: (A.reshape(3, 5) @ x - b).square().sum(), torch.zeros(5, dtype=dtype)


def walked(loss, x, lr, steps, *, clear):
    """The path of a loop by hand, which clears the gradient or forgets it."""
    x = x.clone().requires_grad_()
    path = [x.detach().clone()]
    for _ in range(steps):
        loss(x).backward()
        with torch.no_grad():
            x -= lr * x.grad
        path.append(x.detach().clone())
        if clear:
            x.grad = None
    return path


def not_zeroed(dtype):
    A = conditioned(4, dtype)
    loss, start = inverse(A)
    return loss, None, None, {"path": walked(loss, start, 0.1, 60, clear=False)}


def too_high_by_hand(dtype):
    A = conditioned(4, dtype)
    loss, start = inverse(A)
    L = torch.linalg.matrix_norm(A, 2).item() ** 2
    return loss, None, None, {"path": walked(loss, start, 2.2 / L, 60, clear=True)}


def cut_off(dtype):
    A = conditioned(4, dtype)
    return lambda X: (A @ X.data - eye(6, dtype)).square().sum(), eye(6, dtype)


def cut_in_part(dtype):
    A = conditioned(4, dtype)

    def loss(X):
        return (X.detach() @ A @ X - X).square().sum()

    return loss, torch.rand(6, 6, generator=seeded(4), dtype=dtype), partial(SGD, lr=0.01)


def one_argument_unused(dtype):
    A = conditioned(4, dtype)
    return lambda X, Y: (A @ X - eye(6, dtype)).square().sum(), (0 * A, 0 * A)


def kink(dtype):
    target = torch.tensor([1.0, -2.0, 3.05], dtype=dtype)
    return lambda x: (x - target).abs().sum(), 0 * target, partial(SGD, lr=0.4)


def kink_for_adam(dtype):
    loss, start, _ = kink(dtype)
    return loss, start, partial(Adam, lr=0.1)


def steps(dtype):
    target = torch.tensor([1.3, -2.0], dtype=dtype)
    return lambda x: ((8 * x).round() / 8 - target).square().sum(), 0 * target + 0.2


def infinite_slope(dtype):
    return lambda x: x.norm().sqrt() + x.sum(), torch.zeros(3, dtype=dtype)


def no_number(dtype):
    return lambda x: (x - 1).log().sum(), torch.zeros(3, dtype=dtype)


def fight(dtype):
    A, B = conditioned(4, dtype), conditioned(4, dtype, seed=5)

    def loss(X):
        return mse(A @ X, eye(6, dtype)) + 0.3 * mse(B @ X, eye(6, dtype))

    return loss, torch.zeros_like(A)


def no_end(dtype):
    A = torch.rand(4, 4, generator=seeded(6), dtype=dtype)
    return lambda U, V: -(U.T @ A @ V).trace(), (eye(4, dtype), eye(4, dtype)), partial(SGD, lr=0.5)


def float32(dtype):
    A = conditioned(10, torch.float32)
    best = gdla.rates.optimal_momentum(torch.linalg.matrix_norm(A, 2).item() ** 2, 0.01)
    return *inverse(A), partial(SGD, lr=best[0], momentum=best[1]), {"gtol": 0}


def near_a_saddle(dtype):
    """Flat in the middle, and the start almost on the ridge."""

    def ridge(x):
        return x[0] ** 2 - x[1] ** 2 + x[1] ** 4

    aside = torch.tensor([1.0, 1e-5], dtype=dtype)
    return ridge, aside, partial(SGD, lr=0.1), {"max_steps": 26}


def on_the_ridge(dtype):
    def ridge(x):
        return x[0] ** 2 - x[1] ** 2 + x[1] ** 4

    return ridge, torch.tensor([1.0, 0.0], dtype=dtype), partial(SGD, lr=0.1)


def from_zero(dtype):
    A = gallery.original("M1").to(dtype)

    def loss(U, V):
        return (U @ V - A).square().sum()

    return loss, (torch.zeros(5, 2, dtype=dtype), torch.zeros(2, 4, dtype=dtype))


def equal_columns(dtype):
    """Two columns that begin alike stay alike."""
    A = gallery.original("M1").to(dtype)

    def loss(U, V):
        return (U @ V - A).square().sum()

    start = (torch.ones(5, 2, dtype=dtype), torch.ones(2, 4, dtype=dtype))
    return loss, start, partial(SGD, lr=0.02)


def square(dtype):
    """A value written as a square whose true value is negative."""
    M = gallery.original("M5").to(dtype)

    def loss(U, d, V):
        I = eye(3, dtype)
        frames = mse(U.T @ U, I) + mse(V @ V.T, I)
        return mse(U @ torch.diag(d**2) @ V.T, M) + frames / 100

    drawn = seeded(314)
    start = tuple(torch.rand(size, generator=drawn).to(dtype) for size in ((4, 3), (3,), (3, 3)))
    return loss, start, partial(SGD, lr=0.9, momentum=0.9), {"max_steps": 6_000}


def square_from_within(dtype):
    """The same, begun where the trap has shut."""
    loss, start, optimizer, options = square(dtype)
    trapped = gdla.minimize(loss, start, optimizer=optimizer, gtol=0, **options)
    return loss, trapped.value, optimizer, {"max_steps": 100}


def singular(dtype):
    A = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=dtype)
    return *inverse(A), partial(SGD, lr=0.03)


def singular_by_lbfgs(dtype):
    return inverse(torch.ones(3, 3, dtype=dtype))


def decay(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), partial(Adam, lr=0.01, weight_decay=1e-2)


def noisy(dtype):
    A = torch.rand(50, 3, generator=seeded(7), dtype=dtype)
    b = torch.rand(50, generator=seeded(8), dtype=dtype)
    drawn = seeded(9)

    def loss(x):
        rows = torch.randint(50, (5,), generator=drawn)
        return (A[rows] @ x - b[rows]).square().mean()

    return loss, torch.zeros(3, dtype=dtype), partial(SGD, lr=0.1), {"max_steps": 1_000}


def adam(dtype):
    M = gallery.original("M1").float()
    drawn = seeded(3)
    start = tuple(torch.rand(size, generator=drawn) for size in ((5, 4), (4,), (4, 4)))
    return losses.factorisation(M), start, partial(Adam, lr=0.03), {"gtol": 0, "max_steps": 4_000}


def lbfgs(dtype):
    A = conditioned(100, torch.float64)
    strict = partial(torch.optim.LBFGS, line_search_fn="strong_wolfe", max_iter=20)
    return *inverse(A), strict, {"gtol": 0}


def in_a_hurry(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), safe(A), {"max_steps": 20}


def without_a_step(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), partial(SGD, lr=0.0)


def straight_down(dtype):
    """A line has no lowest point."""
    return lambda x: x.sum() + 1, torch.zeros(3, dtype=dtype), partial(SGD, lr=0.1)


def straight_down_by_lbfgs(dtype):
    start = torch.rand(3, 3, generator=seeded(1)).to(dtype)

    def loss(x):
        return torch.nn.functional.softplus(x).sum() + x.sum()

    return loss, start, None, {"max_steps": 150}


def hilbert(dtype):
    """So narrow that rounding hides the smallest curvature."""
    A = gallery.hilbert(6, dtype=torch.float64)
    return *inverse(A), partial(SGD, lr=0.5), {"max_steps": 1_000}


def counted(dtype):
    """How many are positive: the number has no slope, and jumps."""
    return lambda x: (x > 0).sum().to(dtype), torch.full((4,), 0.05, dtype=dtype)


def onto_a_plateau(dtype):
    """One step too long, and the ground is level, high up."""

    def loss(x):
        return (x.exp() - 5).square().sum()

    return loss, torch.full((1,), 2.0, dtype=dtype), partial(SGD, lr=0.5)


FAILURES = [
    (Cause.LEARNING_RATE_TOO_LOW, without_a_step),
    (Cause.UNBOUNDED, straight_down),
    (Cause.UNBOUNDED, straight_down_by_lbfgs),
    (Cause.ILL_CONDITIONED, hilbert),
    (Cause.NOT_DIFFERENTIABLE, counted),
    (Cause.LEARNING_RATE_TOO_HIGH, onto_a_plateau),
    (Cause.LEARNING_RATE_TOO_HIGH, too_high),
    (Cause.LEARNING_RATE_TOO_HIGH, too_high_with_momentum),
    (Cause.LEARNING_RATE_TOO_HIGH, too_high_for_nesterov),
    (Cause.LEARNING_RATE_TOO_HIGH, too_high_for_adam),
    (Cause.LEARNING_RATE_TOO_HIGH, too_high_by_hand),
    (Cause.LEARNING_RATE_TOO_LOW, too_low),
    (Cause.LEARNING_RATE_TOO_LOW, too_low_for_adam),
    (Cause.BAD_SCALING, units),
    (Cause.ILL_CONDITIONED, narrow),
    (Cause.WRONG_SHAPE, broadcast),
    (Cause.WRONG_SHAPE, reshaped),
    (Cause.GRADIENT_NOT_ZEROED, not_zeroed),
    (Cause.DETACHED, cut_off),
    (Cause.DETACHED, cut_in_part),
    (Cause.DETACHED, one_argument_unused),
    (Cause.NOT_DIFFERENTIABLE, kink),
    (Cause.NOT_DIFFERENTIABLE, kink_for_adam),
    (Cause.NOT_DIFFERENTIABLE, steps),
    (Cause.NOT_DIFFERENTIABLE, infinite_slope),
    (Cause.NOT_FINITE, no_number),
    (Cause.TERMS_FIGHT, fight),
    (Cause.UNBOUNDED, no_end),
    (Cause.FLOAT32_FLOOR, float32),
    (Cause.SADDLE, near_a_saddle),
    (Cause.SYMMETRIC_START, on_the_ridge),
    (Cause.SYMMETRIC_START, from_zero),
    (Cause.SYMMETRIC_START, equal_columns),
    (Cause.SQUARE_TRAP, square),
    (Cause.SQUARE_TRAP, square_from_within),
    (Cause.SINGULAR_TARGET, singular),
    (Cause.SINGULAR_TARGET, singular_by_lbfgs),
    (Cause.WEIGHT_DECAY, decay),
    (Cause.STOCHASTIC, noisy),
    (Cause.ADAM_FLOOR, adam),
    (Cause.LBFGS_TOLERANCES, lbfgs),
    (Cause.TOO_FEW_STEPS, in_a_hurry),
]


def examined(case):
    *args, options = case if isinstance(case[-1], dict) else (*case, {})
    return diagnose(*args, **options)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("cause", "failure"), FAILURES, ids=[f.__name__ for _, f in FAILURES])
def test_each_failure_has_its_cause(cause, failure, dtype):
    found = examined(failure(dtype))
    assert found.cause is cause, found
    assert found.evidence


def test_adam_circles_also_where_it_rests_when_the_steps_run_out():
    loss, start, optimizer, options = adam(torch.float32)
    history = gdla.minimize(loss, start, optimizer=optimizer, **options).history
    rest = min(history[2_500:], key=lambda record: record.gradient_norm).step
    found = diagnose(loss, start, optimizer, gtol=0, max_steps=rest)
    assert found.cause is Cause.ADAM_FLOOR, found


def test_every_cause_has_a_failure():
    assert {cause for cause, _ in FAILURES} == set(Cause)


# Runs that arrive.


def by_default(dtype):
    return inverse(conditioned(100, dtype))


def plainly(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), safe(A)


def with_momentum(dtype):
    A = conditioned(10, dtype)
    return *inverse(A), partial(SGD, lr=0.5, momentum=0.8)


def by_adam(dtype):
    A = conditioned(4, dtype)
    return *inverse(A), partial(Adam, lr=0.05)


def by_torch_lbfgs(dtype):
    A = conditioned(4, dtype)
    patient = {"tolerance_grad": 0, "tolerance_change": 0, "max_iter": 40}
    return *inverse(A), partial(torch.optim.LBFGS, line_search_fn="strong_wolfe", **patient)


def by_hand(dtype):
    A = conditioned(2, dtype)
    loss, start = inverse(A)
    return loss, None, None, {"path": walked(loss, start, 0.5, 200, clear=True)}


def least_squares(dtype):
    """More equations than unknowns: the loss ends far from zero."""
    A = torch.rand(20, 3, generator=seeded(11), dtype=dtype)
    return residual(A, torch.rand(20, 1, generator=seeded(12), dtype=dtype)), torch.zeros(
        3, 1, dtype=dtype
    )


def fewer_equations(dtype):
    """Flat directions, and every one of their points is an answer."""
    A = torch.rand(3, 8, generator=seeded(13), dtype=dtype)
    return residual(A, torch.rand(3, 1, generator=seeded(14), dtype=dtype)), torch.zeros(
        8, 1, dtype=dtype
    )


def low_rank(dtype):
    """A gauge makes flat directions, and the loss ends above zero."""
    A = torch.rand(8, 6, generator=seeded(15), dtype=dtype)
    start = tuple(torch.rand(size, generator=seeded(16), dtype=dtype) for size in ((8, 2), (2, 6)))
    return lambda U, V: (U @ V - A).square().sum(), start


def two_terms_one_wish(dtype):
    M = gallery.original("M1").to(dtype)
    drawn = seeded(17)
    start = tuple(torch.rand(size, generator=drawn).to(dtype) for size in ((5, 4), (4,), (4, 4)))
    return losses.factorisation(M), start


def towns(dtype):
    """A minimum away from all kinks, above zero."""
    places = torch.rand(7, 2, generator=seeded(18), dtype=dtype)
    return lambda x: (places - x).norm(dim=1).sum(), places.mean(0)


def rosenbrock(dtype):
    def loss(x):
        return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2

    return loss, torch.tensor([-1.2, 1.0], dtype=dtype)


def logistic(dtype):
    X = torch.randn(60, 3, generator=seeded(19), dtype=dtype)
    y = (torch.rand(60, generator=seeded(20)) < X[:, 0].sigmoid()).to(dtype)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    return lambda w: bce(X @ w, y), torch.zeros(3, dtype=dtype)


def all_distances(dtype):
    """A table of all pairs that is meant."""
    goal = torch.rand(5, 5, generator=seeded(21), dtype=dtype)
    goal = goal + goal.T
    off = torch.triu_indices(5, 5, 1)

    def loss(x):
        table = (x[:, None] - x[None, :]).square().sum(-1)
        return (table[off[0], off[1]] - goal[off[0], off[1]]).square().sum()

    return loss, torch.rand(5, 2, generator=seeded(22), dtype=dtype)


def squares_that_may(dtype):
    """Values written as squares whose true values are positive."""
    M = gallery.original("M1").to(dtype)

    def loss(u, d):
        return (torch.outer(u, u) * d**2 - M[:4].T @ M[:4]).square().sum()

    return loss, (torch.ones(4, dtype=dtype), torch.ones((), dtype=dtype))


def at_the_bottom(dtype):
    """A start that is the answer: no slope, and nothing to mend."""
    return lambda x: (x - 1).square().sum() + 2, torch.ones(3, dtype=dtype)


def bowl_around_zero(dtype):
    """Unknowns that end at zero because the minimum is there."""
    return lambda x: 1 + x.square().sum() + x.pow(4).sum(), torch.ones(3, dtype=dtype)


def eigenvalue(dtype):
    """A Rayleigh quotient: negative, and flat along the length of x."""
    A = torch.rand(6, 6, generator=seeded(23), dtype=dtype)
    start = torch.rand(6, generator=seeded(24), dtype=dtype)
    # A gradient below this changes the loss, which is about 6, by less than its last digit.
    visible = 10 * torch.finfo(dtype).eps ** 0.5
    return lambda x: -(x @ (A + A.T) @ x) / (x @ x), start, {"gtol": visible}


def ridge_regression(dtype):
    """A fit and a small pull to zero, as it should be."""
    A = torch.rand(20, 3, generator=seeded(31), dtype=dtype)
    b = torch.rand(20, generator=seeded(32), dtype=dtype)

    def loss(x):
        return (A @ x - b).square().sum() + 0.1 * x.square().sum()

    return loss, torch.zeros(3, dtype=dtype)


def held_by_a_penalty(dtype):
    """A term without a bottom, and the one that is there to hold it."""
    A = torch.rand(4, 3, generator=seeded(36), dtype=dtype)

    def loss(x):
        return (A @ x).logsumexp(0) + 0.1 * x.square().sum()

    return loss, torch.zeros(3, dtype=dtype)


def halves_of_the_data(dtype):
    A = torch.rand(20, 3, generator=seeded(33), dtype=dtype)
    b = torch.rand(20, generator=seeded(34), dtype=dtype)

    def half(x, rows):
        return (A[rows] @ x - b[rows]).square().sum()

    return lambda x: half(x, slice(10)) + half(x, slice(10, 20)), torch.zeros(3, dtype=dtype)


def laid_out_otherwise(dtype):
    """Unknowns that the loss wants in another shape."""
    B = torch.rand(3, 2, generator=seeded(35), dtype=dtype)
    return lambda X: (X.reshape(3, 2) - B).square().sum(), torch.zeros(2, 3, dtype=dtype)


def bowl_of_squares(dtype):
    """(q^2 + 1)^2 is least at zero, and no trap."""

    def loss(q, r):
        return (q**2 + 1) ** 2 + (r - 3) ** 2

    return loss, (torch.tensor(1.0, dtype=dtype), torch.tensor(0.0, dtype=dtype))


def heavy_ball(dtype):
    """By hand, with a momentum that is nearly one."""
    path, start = [], torch.ones(2, dtype=dtype)
    solution = gdla.minimize(
        lambda x: (x**2).sum(),
        start,
        optimizer=partial(SGD, lr=0.1, momentum=0.95),
        max_steps=1_000,
        callback=lambda record, x: path.append(x),
    )
    return lambda x: (x**2).sum(), None, None, {"path": [*path, solution.value]}


HEALTHY = [
    ridge_regression,
    held_by_a_penalty,
    halves_of_the_data,
    laid_out_otherwise,
    bowl_of_squares,
    heavy_ball,
    by_default,
    plainly,
    with_momentum,
    by_adam,
    by_torch_lbfgs,
    by_hand,
    least_squares,
    fewer_equations,
    low_rank,
    two_terms_one_wish,
    towns,
    rosenbrock,
    logistic,
    all_distances,
    squares_that_may,
    at_the_bottom,
    bowl_around_zero,
    eigenvalue,
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("run", HEALTHY, ids=lambda run: run.__name__)
def test_a_healthy_run_has_no_cause(run, dtype):
    found = examined(run(dtype))
    assert found.cause is None, found
    assert found.solution.converged, found


def test_the_answer_prints_name_evidence_and_remedy():
    found = examined(too_high(torch.float64))
    words = str(found).split()
    said = f"LEARNING_RATE_TOO_HIGH seen {found.evidence} mend {found.remedy}"
    assert words == said.split()
    assert found.remedy == found.cause.value
    assert max(map(len, str(found).splitlines())) <= 72


def test_the_evidence_holds_the_rate_and_its_bound():
    loss, start, _ = too_high(torch.float64)
    L = gdla.curvature(loss, start).largest
    found = diagnose(loss, start, partial(SGD, lr=2.1 / L))
    for number in 2.1 / L, 2 / L, L:
        assert f"{number:.3g}" in found.evidence


def test_nesterov_is_not_held_against_the_ball_s_cliff():
    loss, start = inverse(conditioned(10, torch.float64))
    L = gdla.curvature(loss, start).largest
    for nesterov in False, True:
        ball = partial(SGD, lr=4 / L, momentum=0.9, nesterov=nesterov)
        found = diagnose(loss, start, ball)
        assert found.cause is Cause.LEARNING_RATE_TOO_HIGH
        assert ("allows less than" in found.evidence) is not nesterov


def test_a_loop_by_hand_tells_its_rate_and_momentum():
    loss, start = inverse(conditioned(4, torch.float64))
    path = [start]
    gdla.minimize(
        loss,
        start,
        optimizer=partial(SGD, lr=3.0, momentum=0.4),
        max_steps=30,
        callback=lambda record, X: path.append(X),
    )
    found = diagnose(loss, path=path[1:])
    assert found.cause is Cause.LEARNING_RATE_TOO_HIGH
    assert "learning rate is 3;" in found.evidence
    L = gdla.curvature(loss, start).largest
    assert f"{gdla.rates.max_lr(L, 0.4):.3g}" in found.evidence


def test_a_solution_alone_is_read_by_its_history():
    loss, start, optimizer = too_high(torch.float64)
    run = partial(gdla.minimize, loss, start)
    grown = diagnose(run(optimizer=optimizer))
    assert grown.cause is Cause.LEARNING_RATE_TOO_HIGH
    late = diagnose(run(optimizer=partial(SGD, lr=0.01), max_steps=10))
    assert late.cause is Cause.TOO_FEW_STEPS
    arrived = run()
    assert diagnose(arrived).cause is None
    assert diagnose(arrived).solution.history == arrived.history
    stalled = gdla.minimize(*kink(torch.float64)[:2], optimizer=kink(torch.float64)[2])
    assert diagnose(stalled).cause is None
    assert "diagnose(loss, init, optimizer)" in diagnose(stalled).evidence


def test_what_is_wrong_before_any_step_needs_no_descent():
    assert examined(cut_off(torch.float64)).solution is None


def test_the_start_and_the_path_are_left_as_they_are():
    loss, start = inverse(conditioned(4, torch.float64))
    before, state = start.clone(), torch.get_rng_state()
    diagnose(loss, start)
    path = walked(loss, start, 0.1, 10, clear=True)
    copies = [x.clone() for x in path]
    diagnose(loss, path=path)
    assert torch.equal(start, before)
    assert all(map(torch.equal, path, copies))
    assert torch.equal(torch.get_rng_state(), state)


def test_an_answer_crosses_to_another_process():
    found = examined(too_high(torch.float64))
    again = pickle.loads(pickle.dumps(found))
    assert (again.cause, again.evidence) == (found.cause, found.evidence)
    assert math.isinf(again.solution.loss) or again.solution.loss > 1


@pytest.mark.parametrize(
    ("args", "options", "error", "remedy"),
    [
        ((gdla.metrics.NewtonSchulz(torch.eye(2)[None]), torch.eye(2)), {}, TypeError, "residual"),
        ((torch.sum,), {}, TypeError, "init is missing"),
        ((3.0, torch.ones(2)), {}, TypeError, "callable, got float"),
        ((torch.sum, torch.ones(2, dtype=torch.complex64)), {}, TypeError, "view_as_real"),
        ((torch.sum, torch.empty(0)), {}, ValueError, "init is empty"),
        ((torch.sum, torch.tensor([1.0, math.nan])), {}, ValueError, "finite"),
        ((torch.sum, (torch.ones(1), torch.ones(1).double())), {}, ValueError, "one dtype"),
        ((torch.sum,), {"path": [torch.ones(2)] * 2}, ValueError, "three values at least, got 2"),
        ((torch.square, torch.ones(2)), {}, ValueError, "one real number, got shape .2,."),
        ((lambda x: "a", torch.ones(2)), {}, TypeError, "torch.Tensor, got str"),
        (
            (torch.sum,),
            {"path": [torch.ones(2), torch.ones(3), torch.ones(2)]},
            ValueError,
            "path.1.",
        ),
        (
            (torch.sum, torch.ones(2), SGD([torch.ones(1, requires_grad=True)])),
            {},
            TypeError,
            "factory",
        ),
    ],
)
def test_what_cannot_be_diagnosed_names_the_remedy(args, options, error, remedy):
    with pytest.raises(error, match=remedy):
        diagnose(*args, **options)


def test_a_net_that_is_still_falling_is_on_no_saddle():
    """Its curvature is negative somewhere at every place; but it has a slope."""
    X = torch.randn(40, 3, generator=seeded(41)).double()
    y = (X[:, 0] * X[:, 1]).sin()
    shapes = (3, 8), (8,), (8,)
    start = tuple(0.5 * torch.randn(s, generator=seeded(42)).double() for s in shapes)

    def loss(W, b, v):
        return ((X @ W + b).tanh() @ v - y).square().mean()

    found = diagnose(loss, start, partial(Adam, lr=0.01), max_steps=100)
    assert found.cause is not Cause.SADDLE, found


def test_a_quartic_is_not_told_to_step_farther_at_the_start():
    """Its curvature vanishes at the end; at the start the rate is what it can be."""

    def loss(x):
        return (x**4).sum()

    found = diagnose(loss, torch.full((2,), 2.0).double(), partial(SGD, lr=0.02), max_steps=500)
    assert found.cause is not Cause.LEARNING_RATE_TOO_LOW, found
