"""The benchmarks measure what they say, and what they stored is whole; no test looks at a clock."""

import json
import math

import pytest
import torch

import gdla
from tests.benchmarks import contest, failures, functions, goals, peers, problems, race, run
from tests.benchmarks.accuracy import JUDGES, of_svd
from tests.benchmarks.clock import medians, threads
from tests.benchmarks.functions import Effort
from tests.benchmarks.goals import GOALS, Goal, Missed

TINY = Effort(repeats=1, sizes=(4,), some_sizes=(4,), large_sizes=(), random=40)
RESULTS = json.loads(run.RESULTS.read_text(encoding="utf-8"))
MATRIX = torch.tensor([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]], dtype=torch.float64)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time

    def work(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


def judged(*guess):
    return of_svd(MATRIX, guess)


# --- clock ----------------------------------------------------------------------------------------


def test_a_median_ignores_a_busy_moment(clock):
    durations = iter([1.0, 1.0, 9.0, 2.0, 1.0, 2.0, 1.0, 2.0])
    alternating = medians(
        lambda: clock.work(next(durations)),
        lambda: clock.work(next(durations)),
        repeats=3,
        now=clock,
    )
    assert alternating == [1.0, 2.0]


def test_short_calls_repeat_until_the_clock_sees_them(clock):
    calls = []

    def short():
        calls.append(1)
        clock.work(1e-5)

    (time,) = medians(short, repeats=1, now=clock)
    assert time == pytest.approx(1e-5)
    assert len(calls) > 500


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


# --- judges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", JUDGES)
def test_lapack_passes_and_a_wrong_answer_does_not(name):
    given, options = problems.arguments(name, 8), functions.OPTIONS.get(name, {})
    result = functions.namesake(name)(*given, **options)
    assert JUDGES[name](*given, result) < 30
    wrong = tuple(given[0].flip(-1) if k == 0 else x for k, x in enumerate(given))
    other = functions.namesake(name)(*(x * 1.001 for x in wrong), **options)
    assert not JUDGES[name](*given, other) < 30


# --- gdla beside torch ----------------------------------------------------------------------------


def test_a_row_has_ratio_accuracy_and_steps():
    row = functions.compare("svd", MATRIX, matrix="3 × 2", effort=TINY, unit=1.0)
    assert row["ratio"] == pytest.approx(row["cost"] / row["cost of the other"])
    assert max(row["residual"], row["residual of the other"]) < 30
    assert row["steps"] > 0
    assert "note" not in row


def test_a_refusal_is_a_row_that_says_why(monkeypatch):
    def refuse(*given, callback, **options):
        solution = gdla.minimize(lambda x: x.square().sum(), torch.ones(2), max_steps=0)
        raise gdla.NotConverged("too hard", solution)

    monkeypatch.setattr(gdla, "svd", refuse)
    row = functions.compare("svd", MATRIX, matrix="3 × 2", effort=TINY)
    assert "refused" in row["note"]
    assert "ratio" not in row


# --- peers ----------------------------------------------------------------------------------------


def exact(A, report):
    U, S, Vh = torch.linalg.svd(A, full_matrices=False)
    report(U, S, Vh)


def test_an_accurate_peer_arrives_and_its_inner_svd_is_seen():
    found = race.run(exact, MATRIX, judged, budget=60)
    assert found["reached"]
    assert found["svd inside"]
    assert found["note"] == ""


def test_judging_a_peer_costs_it_no_time(clock):
    def walk(A, report):
        while True:
            clock.work(1.0)
            report(torch.ones(3, 2), torch.ones(2), torch.eye(2))

    def slow(*guess):
        clock.work(5.0)
        return torch.tensor(1e9)

    found = race.run(walk, MATRIX, slow, budget=100, now=clock)
    assert found["note"] == "no nearer for long"
    assert found["seconds"] == 8.0
    assert clock() == 48.0


def test_a_peer_that_fails_or_is_missing_is_a_row_that_says_why(monkeypatch):
    def broken(A, report):
        raise ValueError("no such luck\nand more")

    def missing(A, report):
        raise ModuleNotFoundError("No module named 'manifolds'", name="manifolds")

    monkeypatch.setattr(peers, "SVD", {"broken": broken, "missing": missing, "exact": exact})
    rows = list(contest.contest("svd", MATRIX, "3 × 2", peers.SVD, TINY))
    assert [row["note"] for row in rows] == [
        "failed: ValueError: no such luck",
        "not installed: manifolds",
        "",
    ]
    assert [row["reached"] for row in rows] == [False, False, True]
    for row in rows:
        assert run.line(run.finite(row))


@pytest.mark.parametrize("name", ["torch orthogonal, Adam", "torch orthogonal, L-BFGS"])
def test_a_peer_of_torch_reports_orthonormal_frames(name):
    seen = []

    def judge(U, S, Vh):
        seen.append((U.T @ U - torch.eye(2)).norm() + (Vh @ Vh.T - torch.eye(2)).norm())
        return torch.tensor(0.0)

    found = race.run(peers.SVD[name], MATRIX, judge, budget=60)
    assert found["note"] == ""
    assert max(seen) < 1e-12


# --- goals ----------------------------------------------------------------------------------------


def test_a_goal_is_met_on_its_side_of_the_bound():
    most, least = (Goal("g", side, 2.0, lambda *_: 2.0) for side in ("at most", "at least"))
    assert [goal.holds(ratio) for goal in (most, least) for ratio in (1.9, 2.0, 2.1)] == [
        *(True, True, False),
        *(False, True, True),
    ]


def test_a_goal_that_cannot_be_measured_is_missed_and_says_why():
    def measure(effort, rows):
        raise Missed("out of time")

    row = Goal("g", "at most", 2.0, measure).row(TINY, [])
    assert (row["ratio"], row["met"], row["note"]) == (None, False, "out of time")


def peer_row(against, ratio, **more):
    row = {"table": "peers", "function": "svd", "matrix": "5 × 4, M1", "against": against}
    return row | {"ratio": ratio, "residual": 0.5, "reached": True, "whole": True, **more}


def test_the_best_peer_is_the_fastest_that_arrived():
    rows = [
        peer_row("slow", 0.001),
        peer_row("fast but wrong", 0.5, reached=False),
        peer_row("fast", 0.02),
    ]
    measure = goals.faster_than_best("5 × 4", below=1)
    assert measure(TINY, rows) == 50
    with pytest.raises(Missed, match="no peer"):
        measure(TINY, rows[1:2])
    with pytest.raises(Missed, match="not below 1"):
        measure(TINY, [peer_row("fast", 0.02, residual=1.5)])


def test_the_original_counts_when_it_came_to_the_end():
    row = peer_row("the original, by hand", 1 / 8192)
    assert goals.faster_than_original(TINY, [row]) == 8192
    with pytest.raises(Missed, match="20,000"):
        goals.faster_than_original(TINY, [row | {"whole": False}])


def test_growth_divides_steps():
    base = {"table": "torch", "function": "svd", "threads": 1}
    rows = [base | {"n": 16, "steps": 6}, base | {"n": 512, "steps": 9}]
    assert goals.growth("svd")(TINY, rows) == 1.5


# --- failures -------------------------------------------------------------------------------------


def faulty(wrong, refused):
    """An inverse that is wrong for some matrices and refuses others, told by their corner."""

    def inv(A, *, callback):
        corner = A[:, 0, 0].round()
        if torch.isin(corner, torch.tensor(refused, dtype=A.dtype)).any():
            solution = gdla.minimize(lambda x: x.square().sum(), torch.ones(2), max_steps=0)
            raise gdla.NotConverged("refused", solution)
        X = torch.linalg.inv_ex(A).inverse
        X[torch.isin(corner, torch.tensor(wrong, dtype=A.dtype))] *= 1.01
        return X

    return inv


def test_wrong_results_and_refusals_are_counted_one_by_one(monkeypatch):
    A = torch.eye(3, dtype=torch.float64) * torch.arange(1.0, 9.0).reshape(-1, 1, 1)
    A[6, 1:] = 0  # singular: may be refused
    monkeypatch.setattr(gdla, "inv", faulty(wrong=[2.0, 5.0], refused=[4.0, 7.0]))
    found = failures.Count()
    failures.judge(found, "inv", A, late=lambda: False)
    assert (found.judged, found.wrong, found.left) == (8, 3, 0)
    failures.judge(found, "inv", A, late=lambda: True)
    assert (found.judged, found.left) == (8, 8)


def test_random_matrices_are_as_many_as_asked_and_no_two_batches_are_alike():
    batches = list(failures.random_matrices(40))
    assert sum(map(len, batches)) == 40
    assert len({tuple(batch.flatten().tolist()) for batch in batches}) == len(batches)


# --- what is stored -------------------------------------------------------------------------------


def stored(table):
    return [row for row in RESULTS["rows"] if row["table"] == table]


def test_every_goal_is_stored_once_and_its_verdict_follows_from_its_ratio():
    assert [row["goal"] for row in stored("goals")] == [goal.name for goal in GOALS]
    for row, goal in zip(stored("goals"), GOALS, strict=True):
        assert (row["side"], row["bound"]) == (goal.side, goal.bound)
        if row["ratio"] is None:
            assert row["note"]
            assert not row["met"]
        else:
            assert math.isfinite(row["ratio"])
            assert row["met"] is goal.holds(row["ratio"])


def test_every_peer_is_stored_with_a_ratio_or_a_reason():
    tried = {(row["function"], row["against"]) for row in stored("peers")}
    assert tried == {("svd", name) for name in peers.SVD} | {
        ("inv", name) for name in peers.INVERSE
    }
    for row in stored("peers"):
        assert row["reached"] is not bool(row["note"]) or "gdla" in row["note"]
        assert "ratio" in row or row["note"]


def test_what_was_measured_against_torch_has_a_ratio_or_a_reason():
    rows = stored("torch")
    assert {"svd", "inv"} <= {row["function"] for row in rows}
    for row in rows:
        assert "note" in row or row["ratio"] > 0


def test_only_ratios_are_stored_with_machine_and_versions():
    assert set(RESULTS) == {"date", "quick", "machine", "versions", "rows"}
    assert RESULTS["machine"]["processor"]
    assert RESULTS["versions"]["torch"]
    assert not [key for row in RESULTS["rows"] for key in row if "second" in key or "time" in key]


def test_what_is_written_is_what_is_read():
    assert json.loads(run.written(RESULTS)) == RESULTS
