"""Each matrix of the gallery has the property that it is named for."""

import doctest
import importlib
import math
from fractions import Fraction

import pytest
import torch

from gdla import gallery

from .matrices import NAMED, REAL, gaussian, seeded, short

FIXED = {
    name: getattr(gallery, name)
    for name in (
        *("hilbert", "inverse_hilbert", "lotkin", "kahan", "grcar", "frank", "lehmer"),
        *("jordan", "hadamard"),
    )
}
RANDOM = {
    "orthogonal": lambda g, **to: gallery.orthogonal(5, 3, generator=g, **to),
    "geometric": lambda g, **to: gallery.geometric(5, 3, 10.0, generator=g, **to),
    "arithmetic": lambda g, **to: gallery.arithmetic(5, 3, 10.0, generator=g, **to),
    "repeated": lambda g, **to: gallery.repeated(5, 3, 2, generator=g, **to),
    "clustered": lambda g, **to: gallery.clustered(5, 3, 2, 0.1, generator=g, **to),
    "low_rank": lambda g, **to: gallery.low_rank(5, 3, 2, generator=g, **to),
    "graded": lambda g, **to: gallery.graded(5, 3, 10.0, generator=g, **to),
    "permutation": lambda g, **to: gallery.permutation(9, generator=g, **to),
    "skew": lambda g, **to: gallery.skew(5, generator=g, **to),
    "projector": lambda g, **to: gallery.projector(5, 2, generator=g, **to),
}
OF_TENSORS = {
    "vandermonde": gallery.vandermonde,
    "toeplitz": gallery.toeplitz,
    "circulant": gallery.circulant,
    "rank_one": lambda x: gallery.rank_one(x, x),
    "with_singular_values": lambda x: gallery.with_singular_values(x, 3, 4, generator=seeded()),
}
SHAPES = [(6, 4), (4, 4), (4, 6), (1, 5), (5, 1)]


def built(name, dtype):
    if name in RANDOM:
        return RANDOM[name](seeded(1), dtype=dtype)
    return getattr(gallery, name)(4, dtype=dtype)


def vector(*entries, dtype=torch.float64):
    return torch.tensor(entries, dtype=dtype)


def eye(n):
    return torch.eye(n, dtype=torch.float64)


def close(A, B, tolerance=1e-13):
    torch.testing.assert_close(A, B, rtol=tolerance, atol=tolerance)


def determinant(rows):
    """Exact, by elimination without exchanges."""
    rows, product = [[Fraction(entry) for entry in row] for row in rows], Fraction(1)
    while rows:
        (pivot, *first), *rest = rows
        product *= pivot
        rows = [
            [a - row[0] / pivot * b for a, b in zip(row[1:], first, strict=True)] for row in rest
        ]
    return product


# What all of them share.


@pytest.mark.parametrize("draw", RANDOM.values(), ids=RANDOM)
def test_the_generator_alone_decides(draw):
    before = torch.random.get_rng_state()
    assert torch.equal(draw(seeded(1)), draw(seeded(1)))
    assert not torch.equal(draw(seeded(1)), draw(seeded(2)))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("name", [*FIXED, "laeuchli", *RANDOM])
def test_both_precisions_show_the_same_matrix(name):
    single, double = (built(name, dtype) for dtype in REAL)
    assert (single.dtype, double.dtype) == REAL
    assert torch.equal(single, double.float())


@pytest.mark.parametrize("build", FIXED.values(), ids=FIXED)
def test_what_is_named_is_square_and_double(build):
    assert build(4).shape == (4, 4)
    assert build(4).dtype == torch.float64
    assert build(1).shape == (1, 1)


@pytest.mark.parametrize("dtype", REAL, ids=short)
@pytest.mark.parametrize("build", OF_TENSORS.values(), ids=OF_TENSORS)
def test_a_tensor_hands_on_its_dtype_and_stays_as_it_was(build, dtype):
    given = vector(0.5, 0.3, 0.1, dtype=dtype)
    assert build(given).dtype == dtype
    assert torch.equal(given, vector(0.5, 0.3, 0.1, dtype=dtype))


@pytest.mark.parametrize("name", gallery.__all__)
def test_a_function_shows_an_example_and_says_how_it_fails(name):
    text = getattr(gallery, name).__doc__
    assert ">>>" in text
    assert "Raises:" in text


@pytest.mark.parametrize("room", ["classics", "structures", "spectrum"])
def test_examples_are_true(room):
    module = importlib.import_module(f"gdla.gallery.{room}")
    failed, attempted = doctest.testmod(module, extraglobs={"torch": torch})
    assert failed == 0
    assert attempted > 0


@pytest.mark.parametrize("A", NAMED.values(), ids=NAMED)
def test_the_matrices_of_the_other_tests_are_small_and_double(A):
    assert A.dtype == torch.float64
    assert A.ndim == 2
    assert 1 <= min(A.shape) <= max(A.shape) <= 16
    assert A.isfinite().all()


# Matrices that carry a name.


@pytest.mark.parametrize("n", range(1, 7))
def test_the_inverse_of_hilbert_is_exact(n):
    H = [[Fraction(1, i + j - 1) for j in range(1, n + 1)] for i in range(1, n + 1)]
    given = [[Fraction(entry) for entry in row] for row in gallery.inverse_hilbert(n).tolist()]
    columns = list(zip(*given, strict=True))
    product = [[sum(map(Fraction.__mul__, row, column)) for column in columns] for row in H]
    assert product == [[int(i == j) for j in range(n)] for i in range(n)]


def test_the_inverse_of_hilbert_is_exact_as_far_as_it_says():
    """The largest size for which each precision holds every entry; the sum of all is n^2."""
    assert gallery.inverse_hilbert(12).sum() == 144
    assert torch.equal(
        gallery.inverse_hilbert(6, dtype=torch.float32).double(), gallery.inverse_hilbert(6)
    )
    assert not torch.equal(
        gallery.inverse_hilbert(7, dtype=torch.float32).double(), gallery.inverse_hilbert(7)
    )


def test_the_inverse_of_hilbert_goes_on_as_far_as_its_entries_fit():
    largest = gallery.inverse_hilbert(28).abs().max().item()
    assert largest > torch.finfo(torch.float32).max
    assert gallery.inverse_hilbert(27, dtype=torch.float32).isfinite().all()


def test_hilbert_has_its_known_determinant():
    assert math.isclose(torch.linalg.det(gallery.hilbert(3)).item(), 1 / 2160, rel_tol=1e-10)


def test_hilbert_is_positive_definite_and_as_ill_conditioned_as_it_says():
    values = [torch.linalg.eigvalsh(gallery.hilbert(n)) for n in (8, 9)]
    assert min(v[0] for v in values) > 0
    eight, nine = (math.log(v[-1] / v[0]) for v in values)
    assert 3.4 < nine - eight < 3.6


def test_lotkin_is_hilbert_with_a_first_row_of_ones():
    A, H = gallery.lotkin(6), gallery.hilbert(6)
    assert (A[0] == 1).all()
    assert torch.equal(A[1:], H[1:])
    values = torch.linalg.eigvals(A).real
    assert (values < 0).sum() == 5
    assert torch.linalg.cond(A) > 1e6


def test_kahan_is_the_product_that_it_says():
    n, theta = 5, 0.7
    S = torch.diag(math.sin(theta) ** torch.arange(n, dtype=torch.float64))
    N = torch.ones(n, n, dtype=torch.float64).triu(1)
    close(gallery.kahan(n, theta), S @ (eye(n) - math.cos(theta) * N))


def test_kahan_hides_how_near_to_singular_it_is():
    A = gallery.kahan(30)
    S = torch.linalg.svdvals(A)
    assert torch.equal(A, A.triu())
    assert S[-1] < 1e-2 * A.diagonal().abs().min()


@pytest.mark.parametrize("dtype", REAL, ids=short)
def test_laeuchli_has_a_rank_that_its_square_forgets(dtype):
    threshold = math.sqrt(torch.finfo(dtype).eps / 2)
    for mu, rank in [(0.9 * threshold, 1), (100 * threshold, 4)]:
        A = gallery.laeuchli(4, mu, dtype=dtype)
        assert A.shape == (5, 4)
        assert torch.linalg.matrix_rank(A) == 4
        close(torch.linalg.svdvals(A.double())[1:], torch.full((3,), A[1, 0].item()).double(), 1e-9)
        square = A.T @ A
        assert torch.linalg.matrix_rank(square, rtol=torch.finfo(dtype).eps) == rank
        assert (square == 1).all() == (rank == 1)


def test_grcar_is_hessenberg_with_three_diagonals_above():
    A = gallery.grcar(8)
    for k in range(-7, 8):
        value = -1.0 if k == -1 else float(0 <= k <= 3)
        assert (A.diagonal(k) == value).all()


def test_grcar_is_well_conditioned_but_its_eigenvalues_are_sensitive():
    A = gallery.grcar(40)
    X = torch.linalg.eig(A).eigenvectors
    sensitivities = torch.linalg.inv(X).norm(dim=1) * X.norm(dim=0)
    assert torch.linalg.cond(A) < 10
    assert sensitivities.max() > 1e3


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frank_has_determinant_one_and_reciprocal_eigenvalues(n):
    A = gallery.frank(n)
    assert torch.equal(A, A.triu(-1))
    assert determinant(A.tolist()) == 1
    values = torch.linalg.eigvals(A)
    assert values.imag.abs().max() < 1e-9
    ascending = values.real.sort().values
    assert ascending[0] > 0
    close(ascending * ascending.flip(0), torch.ones(n).double(), 1e-9)


def test_frank_counts_down_along_its_rows():
    A = gallery.frank(5)
    assert A[0].tolist() == [5, 4, 3, 2, 1]
    assert A.diagonal(-1).tolist() == [4, 3, 2, 1]


@pytest.mark.parametrize("n", [1, 2, 7])
def test_lehmer_is_positive_definite_and_its_inverse_tridiagonal(n):
    A = gallery.lehmer(n)
    i = torch.arange(1, n + 1)
    assert torch.equal(A, A.T)
    assert torch.equal(A.tril(), (i.double() / i.unsqueeze(1).double()).tril())
    assert torch.linalg.eigvalsh(A)[0] > 0
    assert torch.linalg.cond(A) <= 4 * n**2
    inverse = torch.linalg.inv(A)
    close(inverse.triu(2), torch.zeros(n, n).double(), 1e-12)
    assert (inverse.diagonal(1).abs() > 1e-3).all()


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


# Matrices of a structure.


def test_a_jordan_block_has_one_eigenvector():
    A = gallery.jordan(5, 2.0)
    nilpotent = A - 2 * eye(5)
    assert torch.equal(nilpotent[:-1, 1:], eye(4))
    assert torch.linalg.matrix_rank(nilpotent) == 4
    assert torch.linalg.matrix_power(nilpotent, 5).count_nonzero() == 0


def test_a_jordan_block_has_eigenvalues_that_move_far():
    A = gallery.jordan(5, 2.0)
    A[4, 0] = 1e-10
    distance = (torch.linalg.eigvals(A) - 2).abs()
    close(distance, torch.full((5,), 1e-10 ** (1 / 5)).double(), 1e-4)


@pytest.mark.parametrize("n", [None, 1, 3, 6])
def test_vandermonde_evaluates_polynomials(n):
    x = vector(-1.0, 0.0, 0.5, 2.0)
    A = gallery.vandermonde(x, n)
    coefficients = gaussian(A.shape[1])
    value = torch.zeros_like(x)
    for c in coefficients.flip(0):  # Horner
        value = value * x + c
    assert A.shape == (4, 4 if n is None else n)
    close(A @ coefficients, value)


def test_vandermonde_has_its_known_determinant():
    x = [Fraction(k, 2) for k in (-3, 1, 4, 10)]
    A = gallery.vandermonde(torch.tensor([float(point) for point in x], dtype=torch.float64))
    differences = [b - a for i, a in enumerate(x) for b in x[i + 1 :]]
    assert determinant(A.tolist()) == math.prod(differences)


@pytest.mark.parametrize("shape", SHAPES)
def test_toeplitz_has_constant_diagonals(shape):
    m, n = shape
    column, row = gaussian(m, seed=1), gaussian(n, seed=2)
    row[0] = column[0]
    A = gallery.toeplitz(column, row)
    assert torch.equal(A[:, 0], column)
    assert torch.equal(A[0], row)
    assert torch.equal(A[1:, 1:], A[:-1, :-1])


def test_toeplitz_of_one_vector_is_symmetric():
    A = gallery.toeplitz(vector(2.0, -1.0, 0.0, 5.0))
    assert torch.equal(A, A.T)
    assert A[0].tolist() == [2, -1, 0, 5]


def test_the_second_difference_has_its_known_eigenvalues():
    n = 6
    angles = torch.arange(1, n + 1, dtype=torch.float64) * math.pi / (n + 1)
    A = gallery.toeplitz(vector(2.0, -1.0, *[0.0] * (n - 2)))
    close(torch.linalg.eigvalsh(A), 2 - 2 * angles.cos())


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_the_fourier_transform_diagonalises_a_circulant(n):
    column = gaussian(n)
    A = gallery.circulant(column)
    j = torch.arange(n, dtype=torch.float64)
    angles = 2 * math.pi / n * torch.outer(j, j)
    F = torch.polar(torch.full_like(angles, n**-0.5), angles)
    spectrum = F.mH @ A.to(F.dtype) @ F
    close(spectrum, torch.diag(torch.fft.fft(column)))
    assert torch.equal(A[:, 0], column)
    assert torch.equal(A.roll((1, 1), (0, 1)), A)


@pytest.mark.parametrize("n", [1, 2, 4, 16])
def test_hadamard_holds_signs_and_is_its_own_inverse_but_for_n(n):
    H = gallery.hadamard(n)
    assert (H.abs() == 1).all()
    assert torch.equal(H @ H.T, n * eye(n))
    assert torch.equal(H, H.T)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_permutation_has_one_entry_in_each_row_and_column(n):
    P = gallery.permutation(n, generator=seeded(6))
    assert ((P == 0) | (P == 1)).all()
    assert torch.equal(P.sum(0), torch.ones(n).double())
    assert torch.equal(P.sum(1), torch.ones(n).double())


def test_permutations_come_in_both_signs():
    draws = [gallery.permutation(5, generator=seeded(k)) for k in range(60)]
    assert 15 < sum(torch.linalg.det(P) > 0 for P in draws) < 45


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_a_skew_matrix_is_singular_where_its_size_is_odd(n):
    A = gallery.skew(n, generator=seeded(7))
    assert torch.equal(A.T, -A)
    assert torch.linalg.matrix_rank(A) == n - n % 2
    close(torch.linalg.eigvals(A).real, torch.zeros(n).double(), 1e-13)
    S = torch.linalg.svdvals(A)[: n - n % 2]
    close(S[::2], S[1::2])


@pytest.mark.parametrize("dtype", REAL, ids=short)
def test_a_skew_matrix_is_twice_the_skew_part_of_a_gaussian_draw(dtype):
    A = gallery.skew(6, generator=seeded(7), dtype=dtype)
    G = gaussian(6, 6, seed=7)
    assert torch.equal(A, (G - G.T).to(dtype))


@pytest.mark.parametrize("rank", range(5))
def test_a_projector_is_symmetric_idempotent_and_of_its_rank(rank):
    P = gallery.projector(4, rank, generator=seeded(8))
    assert torch.equal(P, P.T)
    close(P @ P, P)
    assert torch.linalg.matrix_rank(P) == rank
    close(P.trace(), torch.tensor(rank).double())


def test_rank_one_is_of_rank_one_with_the_product_of_the_norms():
    u, v = gaussian(5, seed=1), gaussian(3, seed=2)
    A = gallery.rank_one(u, v)
    assert A.shape == (5, 3)
    S = torch.linalg.svdvals(A)
    close(S, vector((u.norm() * v.norm()).item(), 0.0, 0.0))
    close(A @ v, u * v.square().sum())


# Matrices of a prescribed spectrum.


@pytest.mark.parametrize("shape", SHAPES)
def test_spectra_are_as_prescribed(shape):
    k = min(shape)
    expected = {
        gallery.geometric: torch.logspace(0, -2, k, dtype=torch.float64),
        gallery.arithmetic: torch.linspace(1, 0.01, k, dtype=torch.float64),
    }
    for build, S in expected.items():
        A = build(*shape, 100.0, generator=seeded(3))
        torch.testing.assert_close(torch.linalg.svdvals(A), S, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", REAL, ids=short)
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_those_given(shape, dtype):
    S = torch.arange(min(shape), 0, -1, dtype=dtype)
    A = gallery.with_singular_values(S, *shape, generator=seeded(3))
    assert A.shape == shape
    close(torch.linalg.svdvals(A), S, 30 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(7, 5), (5, 5), (5, 9)])
def test_repeated_values_are_as_prescribed(shape):
    A = gallery.repeated(*shape, 2, generator=seeded(3))
    assert A.shape == shape
    close(torch.linalg.svdvals(A), vector(1.0, 1.0, 1.0, 0.5, 0.5))


def test_as_many_distinct_values_as_places_are_all_different():
    A = gallery.repeated(4, 4, 4, generator=seeded(3))
    close(torch.linalg.svdvals(A), vector(1.0, 0.5, 0.25, 0.125))


@pytest.mark.parametrize("spread", [0.4, 1e-3, 1e-8, 1e-13])
def test_clustered_values_are_as_prescribed(spread):
    A = gallery.clustered(8, 6, 2, spread, generator=seeded(3))
    S = torch.linalg.svdvals(A)
    ones, halves = S[:3], S[3:]
    for cluster, centre in [(ones, 1.0), (halves, 0.5)]:
        gaps = (centre - cluster) / centre
        close(gaps / spread, vector(0.0, 0.5, 1.0), max(1e-12, 1e-15 / spread))


def test_clusters_narrower_than_the_rounding_of_single_precision_are_repeated_values():
    build = gallery.clustered
    narrow = build(4, 4, 2, 1e-13, generator=seeded(3), dtype=torch.float32)
    repeated = gallery.repeated(4, 4, 2, generator=seeded(3), dtype=torch.float32)
    close(narrow, repeated, torch.finfo(torch.float32).eps)


@pytest.mark.parametrize("shape", SHAPES)
def test_graded_columns_shrink_by_equal_ratios(shape):
    m, n = shape
    A = gallery.graded(m, n, 1e6, generator=seeded(9))
    norms = torch.linalg.vector_norm(A, dim=0)
    close(norms, torch.logspace(0, -6, n, dtype=torch.float64), 1e-14)
    if m >= n:  # the scaling alone makes it ill-conditioned
        assert torch.linalg.cond(A / norms) < 100


def test_orthogonal_columns_are_orthonormal_and_no_side_is_preferred():
    Q = gallery.orthogonal(7, 4, generator=seeded(4))
    torch.testing.assert_close(Q.T @ Q, torch.eye(4).double(), rtol=0, atol=1e-14)
    signs = [gallery.orthogonal(2, 1, generator=seeded(k))[0, 0] > 0 for k in range(60)]
    assert 15 < sum(signs) < 45


def test_low_rank_has_that_rank_and_no_singular_value_but_one_and_zero():
    for rank in range(4):
        A = gallery.low_rank(5, 3, rank, generator=seeded(5))
        assert torch.linalg.matrix_rank(A) == rank
        close(torch.linalg.svdvals(A), (torch.arange(3) < rank).double())


# What cannot be built.

G = seeded(1)
ONE, TWO = vector(1.0), vector(1.0, 2.0)
BAD = {
    "no matrix 'M6'": lambda: gallery.original("M6"),
    "at least 4 rows, got 3": lambda: gallery.orthogonal(3, 4, generator=G),
    "n must be a whole number, 1 or more, got -1": lambda: gallery.orthogonal(3, -1, generator=G),
    "m must be a whole number, 1 or more, got 0": lambda: gallery.graded(0, 2, 1.0, generator=G),
    "condition must be finite and at least 1, got 0.5": lambda: gallery.geometric(
        3, 3, 0.5, generator=G
    ),
    "condition must be finite and at least 1, got nan": lambda: gallery.arithmetic(
        3, 3, math.nan, generator=G
    ),
    "ratio must be finite and at least 1, got inf": lambda: gallery.graded(
        3, 3, math.inf, generator=G
    ),
    "rank must be a whole number between 0 and 3, got 4": lambda: gallery.low_rank(
        4, 3, 4, generator=G
    ),
    "rank must be a whole number between 0 and 3, got -1": lambda: gallery.projector(
        3, -1, generator=G
    ),
    "distinct must be a whole number between 1 and 3, got 4": lambda: gallery.repeated(
        4, 3, 4, generator=G
    ),
    "clusters must be a whole number between 1 and 3, got 0": lambda: gallery.clustered(
        4, 3, 0, 0.1, generator=G
    ),
    "spread must be at least 0 and below 0.5, got 0.5": lambda: gallery.clustered(
        4, 3, 2, 0.5, generator=G
    ),
    "must hold 2 real numbers": lambda: gallery.with_singular_values(
        vector(1.0, -1.0), 2, 2, generator=G
    ),
    "theta must lie between 0 and pi, got 4": lambda: gallery.kahan(3, 4.0),
    "mu must be finite, got nan": lambda: gallery.laeuchli(3, math.nan),
    "eigenvalue must be finite, got inf": lambda: gallery.jordan(3, math.inf),
    "n must be at most 203, .*float64 overflows, got 204": lambda: gallery.inverse_hilbert(204),
    "n must be at most 27, .*float32 overflows, got 28": lambda: gallery.inverse_hilbert(
        28, dtype=torch.float32
    ),
    "a power of two, got 12; 8 and 16 are": lambda: gallery.hadamard(12),
    r"x must be one-dimensional .* got shape \(1, 2\); use x.flatten": lambda: gallery.vandermonde(
        TWO.unsqueeze(0)
    ),
    r"column must be one-dimensional .* got shape \(0,\)": lambda: gallery.circulant(TWO[:0]),
    "an entry passes the largest torch.float32": lambda: gallery.vandermonde(
        vector(1e20, dtype=torch.float32), 3
    ),
    "an entry passes the largest torch.float64": lambda: gallery.rank_one(1e200 * ONE, 1e200 * ONE),
    r"row must begin with column\[0\], 1.0, got 2.0": lambda: gallery.toeplitz(TWO, 2 * ONE),
    "column and row must share dtype and device": lambda: gallery.toeplitz(TWO, TWO.float()),
    r"u and v must share dtype .* use v.to\(u\)": lambda: gallery.rank_one(TWO, TWO.float()),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_requests_are_refused(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


@pytest.mark.parametrize("n", [0, -2, 2.0, True])
@pytest.mark.parametrize("name", [*FIXED, "laeuchli", "permutation", "skew"])
def test_a_size_is_a_whole_number_and_at_least_one(name, n):
    random = {"generator": seeded(1)} if name in RANDOM else {}
    with pytest.raises(ValueError, match=f"n must be a whole number, 1 or more, got {n}"):
        getattr(gallery, name)(n, **random)


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.complex128], ids=short)
@pytest.mark.parametrize("name", [*FIXED, "laeuchli", *RANDOM])
def test_other_dtypes_are_refused(name, dtype):
    with pytest.raises(TypeError, match=r"must be torch\.float32 or torch\.float64, got"):
        built(name, dtype)


@pytest.mark.parametrize("build", OF_TENSORS.values(), ids=OF_TENSORS)
@pytest.mark.parametrize("given", [[1.0, 2.0, 3.0], torch.arange(3)], ids=["list", "whole numbers"])
def test_what_is_no_real_tensor_is_refused(build, given):
    with pytest.raises(TypeError, match="must be"):
        build(given)


@pytest.mark.parametrize("name", ["vandermonde", "toeplitz", "circulant", "rank_one"])
def test_complex_vectors_are_refused(name):
    with pytest.raises(TypeError, match=r"must be real, got torch\.complex128; pass"):
        OF_TENSORS[name](TWO.to(torch.complex128))
