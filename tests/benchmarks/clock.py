"""Time calls so that their ratios carry over to other machines, as seconds do not."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

Clock = Callable[[], float]

VISIBLE = 5e-3  # seconds that a clock measures without noticeable error


def medians(
    *functions: Callable[[], object], repeats: int, now: Clock = time.process_time
) -> list[float]:
    """Return the median time of a call of each; short calls repeat till the clock sees them.

    The functions take turns, so that a machine that is busy for a while is so for all of them.
    Processor time adds up the threads: with more than one of them, pass `time.perf_counter`.
    """
    calls = [enough(function, now) for function in functions]
    rounds = [
        [mean(function, count, now) for function, count in zip(functions, calls, strict=True)]
        for _ in range(repeats)
    ]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def enough(function: Callable[[], object], now: Clock) -> int:
    """Return how many calls in a row the clock sees."""
    calls = 1
    while mean(function, calls, now) * calls < VISIBLE:
        calls *= 2
    return calls


def mean(function: Callable[[], object], calls: int, now: Clock) -> float:
    """Return the mean time of some calls in a row."""
    start = now()
    for _ in range(calls):
        function()
    return (now() - start) / calls


@contextmanager
def threads(count: int) -> Iterator[Clock]:
    """Give torch some threads; yield the clock that is right for as many."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield time.process_time if count == 1 else time.perf_counter
    finally:
        torch.set_num_threads(before)
