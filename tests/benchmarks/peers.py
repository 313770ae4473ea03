"""Other people's ways to singular vectors and inverses: functions of a matrix and a watch.

A peer walks from a guess of its own and reports where it is, until the watch of `race` stops it.
"""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdla import gallery
from tests.benchmarks import original
from tests.benchmarks.race import Watch


def helped(A: Tensor, U: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give a peer what costs it nothing: frames free of drift, and the best values for them."""
    U, V = (1.5 * Q - 0.5 * Q @ (Q.T @ Q) for Q in (U, V))
    return U, ((U.T @ A) * V.T).sum(1), V.T


class Frame(torch.nn.Module):
    """A matrix that a parametrisation keeps orthonormal."""

    def __init__(self, m: int, n: int, constrain: Callable[..., Any]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(m)
        self.weight = torch.nn.Parameter(gallery.orthogonal(m, n, generator=generator).contiguous())
        constrain(self, "weight")


def parametrised(
    constrain: Callable[[], Callable[..., Any]], optimizer: Callable[..., Any]
) -> Callable[[Tensor, Watch], None]:
    """Fit U diag(s) V^T with parametrised U and V by an optimiser of torch."""

    def peer(A: Tensor, report: Watch) -> None:
        m, n = A.shape
        U, V = (Frame(rows, n, constrain()) for rows in (m, n))
        s = torch.rand(n, generator=torch.Generator().manual_seed(n), dtype=A.dtype)
        unknowns = [*U.parameters(), *V.parameters(), s.requires_grad_()]
        method = optimizer(unknowns)

        def closure() -> Tensor:
            method.zero_grad()
            loss = (U.weight * s @ V.weight.T - A).square().sum() / 2
            loss.backward()
            return loss

        while True:
            for _ in range(10):
                method.step(closure)
            with torch.no_grad():
                report(*helped(A, U.weight, V.weight))

    return peer


def adam(unknowns: list[Tensor]) -> torch.optim.Optimizer:
    """Adam, its learning rate that of a rough search."""
    return torch.optim.Adam(unknowns, lr=1e-2)


def lbfgs(unknowns: list[Tensor]) -> torch.optim.Optimizer:
    """L-BFGS that does not stop by itself."""
    options = {"history_size": 20, "tolerance_grad": 0, "tolerance_change": 0, "max_iter": 5}
    return torch.optim.LBFGS(unknowns, line_search_fn="strong_wolfe", **options)


def torch_orthogonal() -> Callable[..., Any]:
    """torch's own parametrisation."""
    return torch.nn.utils.parametrizations.orthogonal


def geotorch_orthogonal() -> Callable[..., Any]:
    """The one that it came from."""
    import geotorch

    return geotorch.orthogonal


def pymanopt_peer(optimizer: str, *, fixed_rank: bool = False) -> Callable[[Tensor, Watch], None]:
    """Walk on a manifold of pymanopt: two frames with Brockett's cost, or matrices of rank n."""

    def peer(A: Tensor, report: Watch) -> None:
        import pymanopt
        from pymanopt import manifolds, optimizers

        (m, n), weights = A.shape, torch.arange(A.shape[1], 0, -1) / A.shape[1]
        if fixed_rank:
            manifold = manifolds.FixedRankEmbedded(m, n, n)

            @pymanopt.function.pytorch(manifold)
            def cost(U: Tensor, s: Tensor, Vh: Tensor) -> Tensor:
                report(*helped(A, U.detach(), Vh.detach().T))
                return (U * s @ Vh - A).square().sum() / 2
        else:
            manifold = manifolds.Product([manifolds.Stiefel(m, n), manifolds.Stiefel(n, n)])

            @pymanopt.function.pytorch(manifold)
            def cost(U: Tensor, V: Tensor) -> Tensor:
                report(*helped(A, U.detach(), V.detach()))
                return -((A @ V) * U * weights).sum()

        np.random.seed(0)  # the only way to a reproducible start there
        method = getattr(optimizers, optimizer)(
            max_time=math.inf,
            max_iterations=10**9,
            min_gradient_norm=0,
            min_step_size=0,
            verbosity=0,
        )
        with warnings.catch_warnings():
            # It starts from an array with a negative stride, of which its own backend warns.
            warnings.filterwarnings("ignore", "PyTorch does not support numpy arrays with negative")
            method.run(pymanopt.Problem(manifold, cost))

    return peer


Peer = Callable[[Tensor, Watch], None]

SVD: dict[str, Peer] = {
    "the original, by hand": original.svd,
    "the original, Adam": original.svd_by_adam,
    "torch orthogonal, Adam": parametrised(torch_orthogonal, adam),
    "torch orthogonal, L-BFGS": parametrised(torch_orthogonal, lbfgs),
    "geotorch, Adam": parametrised(geotorch_orthogonal, adam),
    "geotorch, L-BFGS": parametrised(geotorch_orthogonal, lbfgs),
    "pymanopt, steepest descent": pymanopt_peer("SteepestDescent"),
    "pymanopt, conjugate gradients": pymanopt_peer("ConjugateGradient"),
    "pymanopt, trust regions": pymanopt_peer("TrustRegions"),
    "pymanopt, fixed rank": pymanopt_peer("ConjugateGradient", fixed_rank=True),
}
INVERSE: dict[str, Peer] = {"the original, by hand": original.inverse}
