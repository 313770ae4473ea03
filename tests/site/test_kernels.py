"""A kernel that dies before its first cell gets a second chance, and any other failure none."""

import inspect

import jupyter_client.client
import pytest
from extensions.cells.kernels import begun, restarted
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

DEATH = "Kernel died before replying to kernel_info"  # jupyter_client's words
DIED = RuntimeError(DEATH)


def page():
    return new_notebook(cells=[new_markdown_cell("prose"), new_code_cell("1")])


def failing(times, death=DIED, begins=False):
    calls = []

    def execute(notebook, *, cwd):
        calls.append(notebook)
        if begins:
            begun(notebook["cells"][1], 1)
        if len(calls) <= times:
            raise death
        return notebook, cwd

    return execute, calls


@pytest.mark.parametrize("death", [DIED, DeadKernelError("Kernel died")])
@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_kernel_that_died_at_its_start_is_started_again(times, death):
    execute, calls = failing(times, death)
    assert restarted(execute)(page(), cwd="book") == (calls[-1], "book")
    assert len(calls) == times + 1


def test_one_that_a_cell_has_ended_is_not():
    execute, calls = failing(1, DeadKernelError("Kernel died"), begins=True)
    with pytest.raises(DeadKernelError):
        restarted(execute)(page(), cwd="book")
    assert len(calls) == 1


def test_one_that_always_dies_is_given_up():
    execute, calls = failing(9)
    with pytest.raises(RuntimeError, match=DEATH):
        restarted(execute)(page(), cwd="book")
    assert len(calls) == 3


def test_another_error_is_raised_at_once():
    execute, calls = failing(1, RuntimeError("no such kernel"))
    with pytest.raises(RuntimeError, match="no such kernel"):
        restarted(execute)(page(), cwd="book")
    assert len(calls) == 1


def test_the_words_are_still_those_of_jupyter_client():
    # If this fails the message has changed, and restarted waits for one that never comes.
    assert DEATH in inspect.getsource(jupyter_client.client)
