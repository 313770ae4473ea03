"""The matrices on which the properties are stated, and the measures that state them."""

import torch

from gdla import gallery

REAL = (torch.float32, torch.float64)
DTYPES = (*REAL, torch.complex64, torch.complex128)
BATCHES = ((), (3,), (2, 3))
LIMIT = 30  # LAPACK's own threshold for a scaled residual


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def gaussian(*shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=dtype)


def short(value):
    return str(value).removeprefix("torch.")


# Condition at most about 1e3, within reach of plain descent.
WELL_CONDITIONED = {
    "1x1": torch.tensor([[-3.0]], dtype=torch.float64),
    "identity": torch.eye(6, dtype=torch.float64),
    "grcar": gallery.grcar(12),
    "jordan": gallery.jordan(6, 2.0),
    "kahan": gallery.kahan(6),
    "hilbert": gallery.hilbert(3),
    "cyclic": torch.eye(7, dtype=torch.float64).roll(1, 0),
    "skew": gaussian(6, 6) - gaussian(6, 6).T,
    "M2": gallery.original("M2").double(),
    "repeated": gallery.with_singular_values(
        torch.tensor([3.0, 3, 3, 1, 1, 1], dtype=torch.float64), 6, 6, generator=seeded()
    ),
    "geometric": gallery.geometric(16, 16, 30.0, generator=seeded()),
    "arithmetic": gallery.arithmetic(16, 16, 1e3, generator=seeded()),
}

RANK_DEFICIENT = {
    "zero": torch.zeros(4, 3, dtype=torch.float64),
    "ones": torch.ones(5, 5, dtype=torch.float64),
    "nilpotent": gallery.jordan(5, 0.0),
    "tall": gallery.low_rank(8, 6, 3, generator=seeded()),
    "wide": gallery.low_rank(5, 9, 2, generator=seeded()),
    "square": gallery.low_rank(6, 6, 5, generator=seeded()),
}

RECTANGULAR = {
    **{name: gallery.original(name).double() for name in ("M1", "M3", "M4", "M5")},
    "column": gaussian(7, 1),
    "row": gaussian(1, 7),
    "wide": gallery.geometric(6, 9, 30.0, generator=seeded()),
    "tall": gallery.arithmetic(20, 10, 1e2, generator=seeded()),
}

NAMED: dict[str, torch.Tensor] = {
    # shapes and draws
    "1x1": torch.tensor([[-3.0]], dtype=torch.float64),
    "row": gaussian(1, 7),
    "column": gaussian(7, 1),
    "zero": torch.zeros(5, 4, dtype=torch.float64),
    "ones": torch.ones(5, 6, dtype=torch.float64),
    **{name: gallery.original(name).double() for name in ("M1", "M2", "M3", "M4", "M5")},
    # named
    "hilbert4": gallery.hilbert(4),
    "hilbert8": gallery.hilbert(8),
    "hilbert12": gallery.hilbert(12),
    "inverse_hilbert5": gallery.inverse_hilbert(5),
    "lotkin6": gallery.lotkin(6),
    "kahan10": gallery.kahan(10),
    "laeuchli5": gallery.laeuchli(5),
    "grcar12": gallery.grcar(12),
    "frank8": gallery.frank(8),
    "lehmer8": gallery.lehmer(8),
    # of a structure
    "jordan6": gallery.jordan(6),
    "nilpotent5": gallery.jordan(5, 0.0),
    "vandermonde_square": gallery.vandermonde(torch.arange(7, dtype=torch.float64)),
    "vandermonde_tall": gallery.vandermonde(torch.linspace(-1, 1, 12, dtype=torch.float64), 6),
    "toeplitz_laplacian": gallery.toeplitz(torch.tensor([2.0, -1, *[0] * 8], dtype=torch.float64)),
    "toeplitz_wide": gallery.toeplitz(
        torch.arange(5, dtype=torch.float64), -torch.arange(8, dtype=torch.float64)
    ),
    "circulant7": gallery.circulant(torch.arange(1, 8, dtype=torch.float64)),
    "hadamard8": gallery.hadamard(8),
    "permutation7": gallery.permutation(7, generator=seeded()),
    "skew_odd": gallery.skew(5, generator=seeded()),
    "skew_even": gallery.skew(6, generator=seeded()),
    "projector7": gallery.projector(7, 3, generator=seeded()),
    "rank_one": gallery.rank_one(gaussian(6, seed=1), gaussian(4, seed=2)),
    # of a prescribed spectrum
    "orthogonal6": gallery.orthogonal(6, 6, generator=seeded()),
    "orthonormal_columns": gallery.orthogonal(9, 4, generator=seeded()),
    "geometric1e3": gallery.geometric(16, 16, 1e3, generator=seeded()),
    "geometric1e8": gallery.geometric(12, 8, 1e8, generator=seeded()),
    "geometric1e14": gallery.geometric(10, 10, 1e14, generator=seeded()),
    "arithmetic1e3": gallery.arithmetic(16, 16, 1e3, generator=seeded()),
    "repeated": gallery.repeated(9, 9, 3, generator=seeded()),
    "repeated_wide": gallery.repeated(6, 10, 2, generator=seeded()),
    "clustered1e-8": gallery.clustered(8, 8, 2, 1e-8, generator=seeded()),
    "clustered1e-13": gallery.clustered(12, 8, 2, 1e-13, generator=seeded()),
    "low_rank_tall": gallery.low_rank(10, 6, 3, generator=seeded()),
    "low_rank_wide": gallery.low_rank(5, 9, 4, generator=seeded()),
    "graded_tall": gallery.graded(12, 7, 1e10, generator=seeded()),
    "graded_square": gallery.graded(8, 8, 1e15, generator=seeded()),
}

# Out of reach of plain descent on || A X - B ||; the rotations of svd take them in their stride.
ILL_CONDITIONED = {
    "hilbert12": gallery.hilbert(12),
    "kahan20": gallery.kahan(20),
    "geometric1e12": gallery.geometric(8, 8, 1e12, generator=seeded()),
    "laeuchli": torch.cat(
        [torch.ones(1, 4, dtype=torch.float64), 1e-8 * torch.eye(4, dtype=torch.float64)]
    ),
    "nearly singular": torch.tensor([[1.0, 1.0], [1.0, 1.0 + 1e-15]], dtype=torch.float64),
    "graded": torch.diag(torch.tensor([1.0, 1e-17], dtype=torch.float64)),
}

GALLERY = {
    f"{kind}-{name}": A
    for kind, family in {
        "well": WELL_CONDITIONED,
        "ill": ILL_CONDITIONED,
        "deficient": RANK_DEFICIENT,
        "rectangular": RECTANGULAR,
    }.items()
    for name, A in family.items()
}


def cast(A, dtype):
    """A in another dtype; complex ones with rows turned by phases, the singular values kept."""
    A = A.to(dtype)
    if not dtype.is_complex:
        return A
    angles = torch.arange(A.shape[-2], dtype=A.real.dtype)
    return A * torch.polar(torch.ones_like(angles), angles).unsqueeze(-1)


def stacked(A, batch):
    """A stack of relatives of A, of the same singular values up to powers of two."""
    if not batch:
        return A
    count = torch.Size(batch).numel()
    members = [A.roll(k, 0).roll(k, 1) * 2.0 ** (k - 1) for k in range(count)]
    return torch.stack(members).reshape(*batch, *A.shape)


KINDS = ("gaussian", "uniform", "integer", "sparse", "triangular", "low rank", "graded")


def drawn(kind, *shape, seed=0):
    """Many random matrices of one kind."""
    generator, n = seeded(seed), shape[-1]
    A = torch.randn(shape, generator=generator, dtype=torch.float64)
    match kind:
        case "uniform":
            return torch.rand(shape, generator=generator, dtype=torch.float64)
        case "integer":
            return torch.randint(-2, 3, shape, generator=generator).double()
        case "sparse":
            return A * (torch.rand(shape, generator=generator) < 0.4)
        case "triangular":
            return A.triu()
        case "low rank":
            half = A[..., : (n + 1) // 2]
            return half @ half.mT @ A
        case "graded":
            return A * 10.0 ** -torch.arange(n).double()
        case _:
            return A


def norm(A):
    return torch.linalg.matrix_norm(A)


def in_rounding_units(error, size):
    """The largest norm of a stack of errors, as a multiple of what rounding explains."""
    info = torch.finfo(error.dtype)
    unit = max(error.shape[-2:]) * info.eps
    return (norm(error) / (unit * size).clamp_min(info.tiny)).max().item()


def inverse_residual(A, X):
    """The larger of both residuals of an inverse, in units of rounding."""
    eye = torch.eye(A.shape[-1], dtype=A.dtype)
    bound = norm(A) * norm(X)
    return max(in_rounding_units(A @ X - eye, bound), in_rounding_units(X @ A - eye, bound))


def system_residual(A, X, B):
    return in_rounding_units(A @ X - B, norm(A) * norm(X) + norm(B))


def penrose_residuals(A, X):
    """The four conditions that only the pseudo-inverse meets, in units of rounding."""
    left, right = A @ X, X @ A
    bound = norm(A) * norm(X)
    return [
        in_rounding_units(A @ X @ A - A, bound * norm(A)),
        in_rounding_units(X @ A @ X - X, bound * norm(X)),
        in_rounding_units(left - left.mH, bound),
        in_rounding_units(right - right.mH, bound),
    ]


def singular_values(A):
    """To twice the digits of single precision, so that conditions beyond 1e7 are seen."""
    return torch.linalg.svdvals(A.to(torch.complex128 if A.is_complex() else torch.float64))


def regular_to_rounding(A):
    """Whether no perturbation of A by rounding makes it singular."""
    S = singular_values(A)
    return bool((S[..., -1] > 10 * max(A.shape[-2:]) * torch.finfo(A.dtype).eps * S[..., 0]).all())


def unitarity(Q):
    eye = torch.eye(Q.shape[-1], dtype=Q.dtype).expand(*Q.shape[:-2], -1, -1)
    return in_rounding_units(Q.mH @ Q - eye, torch.ones(()))


def projector(Q):
    return Q @ Q.mH
