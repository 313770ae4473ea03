"""Named hard matrices, matrices of a structure, and matrices of a prescribed spectrum.

What is random takes a `torch.Generator`; nothing here touches torch's global seed. Entries are
computed in float64 and rounded once, so that both precisions show the same matrix; a dtype that
is neither float32 nor float64 raises TypeError.
`torch.zeros`, `torch.ones` and `torch.eye` complete the list.
"""

from gdla.gallery.classics import (
    frank,
    grcar,
    hilbert,
    inverse_hilbert,
    kahan,
    laeuchli,
    lehmer,
    lotkin,
    original,
)
from gdla.gallery.spectrum import (
    arithmetic,
    clustered,
    geometric,
    graded,
    low_rank,
    orthogonal,
    repeated,
    with_singular_values,
)
from gdla.gallery.structures import (
    circulant,
    hadamard,
    jordan,
    permutation,
    projector,
    rank_one,
    skew,
    toeplitz,
    vandermonde,
)

__all__ = [
    # named
    "original",
    "hilbert",
    "inverse_hilbert",
    "lotkin",
    "kahan",
    "laeuchli",
    "grcar",
    "frank",
    "lehmer",
    # of a structure
    "jordan",
    "vandermonde",
    "toeplitz",
    "circulant",
    "hadamard",
    "permutation",
    "skew",
    "projector",
    "rank_one",
    # of a prescribed spectrum
    "orthogonal",
    "with_singular_values",
    "geometric",
    "arithmetic",
    "repeated",
    "clustered",
    "low_rank",
    "graded",
]
