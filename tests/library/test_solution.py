"""What a descent returns is plain, frozen data that can be kept, sent and read."""

import dataclasses
import pickle

import pytest
import torch

import gdla
from gdla import NotConverged, Record, Solution, Status

HISTORY = (Record(0, 4.0, 2.0, 0.1), Record(1, 1.0, 1.0, 0.2))


@pytest.fixture
def solution():
    return Solution(torch.ones(2), Status.CONVERGED, HISTORY)


REMEDIES = {
    "CONVERGED": "use the value",
    "STALLED": "Check the residual",
    "EXHAUSTED": "raise max_steps",
    "DIVERGED": "lower the learning rate",
    "INTERRUPTED": "pass it as init",
}


def test_a_status_is_a_sentence_that_says_what_to_do():
    assert set(Status.__members__) == set(REMEDIES)
    for status in Status:
        what, _, todo = status.value.partition(": ")
        assert what[0].isupper()
        assert REMEDIES[status.name] in todo
        assert todo.endswith(".")


def test_the_summary_is_that_of_the_last_record(solution):
    assert (solution.steps, solution.loss, solution.gradient_norm) == HISTORY[-1][:3]


@pytest.mark.parametrize("status", Status)
def test_converged_is_one_status_only(status):
    assert Solution(torch.ones(1), status, HISTORY).converged == (status is Status.CONVERGED)


def test_a_solution_is_frozen(solution):
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.value = torch.zeros(2)
    with pytest.raises(AttributeError):
        solution.history[0].loss = 0.0


def test_a_solution_says_in_one_line_how_it_ended(solution):
    assert repr(solution) == "Solution(CONVERGED after 1 steps, loss 1, gradient norm 1)"


def test_not_converged_is_caught_as_the_errors_of_torch(solution):
    assert issubclass(NotConverged, torch.linalg.LinAlgError)
    assert issubclass(NotConverged, RuntimeError)
    assert NotConverged("why", solution).solution is solution


def test_not_converged_crosses_processes_with_its_solution():
    with pytest.raises(NotConverged) as caught:
        gdla.inv(torch.ones(2, 2))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert torch.equal(copy.solution.value, caught.value.solution.value)
    assert copy.solution.history == caught.value.solution.history
