"""Each matrix of the gallery has the property that it is named for."""

import math

import pytest
import torch

from gdla import gallery

from .matrices import seeded

RANDOM = {
    "orthogonal": lambda g: gallery.orthogonal(5, 3, generator=g),
    "geometric": lambda g: gallery.geometric(5, 3, 10.0, generator=g),
    "arithmetic": lambda g: gallery.arithmetic(5, 3, 10.0, generator=g),
    "low_rank": lambda g: gallery.low_rank(5, 3, 2, generator=g),
}
NAMED = [gallery.hilbert, gallery.kahan, gallery.grcar, gallery.jordan]


@pytest.mark.parametrize("draw", RANDOM.values(), ids=RANDOM)
def test_the_generator_alone_decides(draw):
    before = torch.random.get_rng_state()
    assert torch.equal(draw(seeded(1)), draw(seeded(1)))
    assert not torch.equal(draw(seeded(1)), draw(seeded(2)))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("build", NAMED, ids=lambda build: build.__name__)
def test_the_dtype_is_the_one_asked_for(build, dtype):
    assert build(4, dtype=dtype).dtype == dtype
    assert build(4, dtype=dtype).shape == (4, 4)


@pytest.mark.parametrize("shape", [(6, 4), (4, 4), (4, 6), (1, 5), (5, 1)])
def test_spectra_are_as_prescribed(shape):
    k = min(shape)
    expected = {
        gallery.geometric: torch.logspace(0, -2, k, dtype=torch.float64),
        gallery.arithmetic: torch.linspace(1, 0.01, k, dtype=torch.float64),
    }
    for build, S in expected.items():
        A = build(*shape, 100.0, generator=seeded(3))
        torch.testing.assert_close(torch.linalg.svdvals(A), S, rtol=1e-12, atol=1e-14)


def test_orthogonal_columns_are_orthonormal_and_no_side_is_preferred():
    Q = gallery.orthogonal(7, 4, generator=seeded(4))
    torch.testing.assert_close(Q.T @ Q, torch.eye(4).double(), rtol=0, atol=1e-14)
    signs = [gallery.orthogonal(2, 1, generator=seeded(k))[0, 0] > 0 for k in range(60)]
    assert 15 < sum(signs) < 45


def test_low_rank_has_that_rank():
    for rank in range(4):
        A = gallery.low_rank(5, 3, rank, generator=seeded(5))
        assert torch.linalg.matrix_rank(A) == rank


def test_hilbert_has_its_known_determinant():
    assert math.isclose(torch.linalg.det(gallery.hilbert(3)).item(), 1 / 2160, rel_tol=1e-10)


def test_kahan_hides_how_near_to_singular_it_is():
    A = gallery.kahan(30)
    S = torch.linalg.svdvals(A)
    assert torch.equal(A, A.triu())
    assert S[-1] < 1e-2 * A.diagonal().abs().min()


def test_grcar_is_hessenberg_with_three_diagonals_above():
    A = gallery.grcar(8)
    for k in range(-7, 8):
        value = -1.0 if k == -1 else float(0 <= k <= 3)
        assert (A.diagonal(k) == value).all()


def test_a_jordan_block_has_one_eigenvector():
    A = gallery.jordan(5, 2.0)
    nilpotent = A - 2 * torch.eye(5).double()
    assert torch.linalg.matrix_rank(nilpotent) == 4
    assert torch.linalg.matrix_power(nilpotent, 5).count_nonzero() == 0


@pytest.mark.parametrize(
    ("name", "seed", "shape"),
    [("M1", 314, (5, 4)), ("M2", 315, (4, 4)), ("M3", 316, (7, 4)), ("M5", 317, (4, 3))],
)
def test_the_original_matrices_are_the_original_draws(name, seed, shape):
    """A generator of one's own draws what the global seed drew in the series."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        drawn = torch.rand(shape)
    assert torch.equal(gallery.original(name), drawn)


def test_the_fourth_original_is_a_transposed_draw():
    drawn = torch.rand(3, 4, generator=seeded(317))
    assert torch.equal(gallery.original("M4"), drawn.T)


BAD = {
    "no matrix 'M6'": lambda: gallery.original("M6"),
    "at least 4 rows, got 3": lambda: gallery.orthogonal(3, 4, generator=seeded(1)),
    "at least 1, got 0.5": lambda: gallery.geometric(3, 3, 0.5, generator=seeded(1)),
    "at least 1, got nan": lambda: gallery.arithmetic(3, 3, math.nan, generator=seeded(1)),
    "between 0 and 3": lambda: gallery.low_rank(4, 3, 4, generator=seeded(1)),
    "must hold 2 real numbers": lambda: gallery.with_singular_values(
        torch.tensor([1.0, -1.0]), 2, 2, generator=seeded(1)
    ),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_requests_are_refused(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()
