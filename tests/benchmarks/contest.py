"""Every peer on every matrix that was chosen for its kind, beside gdla."""

import statistics
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

import gdla
from gdla import gallery
from tests.benchmarks import peers, race
from tests.benchmarks.accuracy import JUDGES
from tests.benchmarks.clock import medians, threads
from tests.benchmarks.functions import OPTIONS, Effort, Row, attempt
from tests.benchmarks.problems import described, seeded


def table(effort: Effort) -> Iterator[Row]:
    """Let every peer try; one that fails, or is not installed, is a row as well."""
    first = gallery.original("M1").double()
    yield from contest("svd", first, "5 × 4, the original's M1", peers.SVD, effort)
    for m, n in (20, 10), (200, 100):
        A = gallery.geometric(m, n, 1e3, generator=seeded(1))
        yield from contest("svd", A, described(A, 1e3), peers.SVD, effort)
    drawn = torch.rand(4, 4, generator=seeded(314)).double()
    yield from contest("inv", drawn, "4 × 4, the original's first", peers.INVERSE, effort)
    diagonal = torch.diag(torch.tensor([1.0, 2.0, 3.0, 4.0])).double()
    yield from contest("inv", diagonal, "4 × 4, the original's second", peers.INVERSE, effort)


def contest(
    name: str, A: Tensor, matrix: str, able: Mapping[str, peers.Peer], effort: Effort
) -> Iterator[Row]:
    """Yield one row for each peer, with the time of gdla divided by the peer's under "ratio"."""
    function, options = getattr(gdla, name), OPTIONS.get(name, {})

    def judged(*guess: Tensor) -> Tensor:
        return JUDGES[name](A, guess if len(guess) > 1 else guess[0])

    with threads(1):
        result, steps, refused = attempt(name, A, patience=effort.patience)
        if not refused:
            residual = JUDGES[name](A, result).max().item()
            (ours,) = medians(lambda: function(A, **options), repeats=2 * effort.repeats)
        for peer, walk in able.items():
            row: Row = {"table": "peers", "function": name, "matrix": matrix, "n": A.shape[-1]}
            runs = [race.run(walk, A, judged, effort.budget)]
            if runs[0]["seconds"] < effort.budget / 10:  # short ones repeat, as ours do
                more = range(1, effort.repeats)
                runs += [race.run(walk, A, judged, effort.budget) for _ in more]
            found = runs[0]
            theirs = statistics.median(run.pop("seconds") for run in runs)
            found["residual of the other"] = found.pop("residual")
            row |= {"against": peer, "threads": 1, "steps": steps, **found}
            if refused:
                row["note"] = f"gdla {refused}"
            else:
                row["residual"] = residual
                if theirs > 0:
                    row["ratio"] = ours / theirs
            yield row
