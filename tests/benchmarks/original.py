"""The algorithms of the original series, with all their steps."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gdla.losses import mse
from tests.benchmarks.race import Watch


def svd(A: Tensor, report: Watch, optimizer: Any = None) -> None:
    """The original's 20,000 steps from its guess: values as squares, penalties of a hundredth."""
    generator = torch.Generator().manual_seed(314)
    (m, n), dtype = A.shape, A.dtype
    sizes = (m, n), (n,), (n, n)
    U, d, V = (torch.rand(size, generator=generator).to(dtype) for size in sizes)
    I = torch.eye(n, dtype=dtype)

    def loss(U: Tensor, d: Tensor, V: Tensor) -> Tensor:
        fit = mse(U @ torch.diag(d**2) @ V.T, A)
        return fit + mse(U.T @ U, I) / 100 + mse(V @ V.T, I) / 100

    def shown(U: Tensor, d: Tensor, V: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return U, d**2, V.T

    _walk(loss, [U, d, V], 20_000, report, optimizer, shown)


def svd_by_adam(A: Tensor, report: Watch) -> None:
    """Walk the same with the original's Adam and weight decay."""
    svd(A, report, lambda unknowns: torch.optim.Adam(unknowns, weight_decay=1e-5))


def inverse(A: Tensor, report: Watch) -> None:
    """The original's 10,000 steps."""
    X = torch.rand(A.shape, generator=torch.Generator().manual_seed(2718), dtype=A.dtype)
    I = torch.eye(len(A), dtype=A.dtype)
    _walk(lambda X: mse(X @ A, I), [X], 10_000, report)


def _walk(
    loss: Callable[..., Tensor],
    unknowns: list[Tensor],
    steps: int,
    report: Watch,
    optimizer: Any = None,
    shown: Callable[..., tuple[Tensor, ...]] = lambda *unknowns: unknowns,
) -> None:
    for x in unknowns:
        x.requires_grad_()
    method = optimizer(unknowns) if optimizer else None
    for step in range(1, steps + 1):
        wrong = loss(*unknowns)
        if method:
            method.zero_grad()
            wrong.backward()
            method.step()
        else:
            wrong.backward()
            with torch.no_grad():
                for x in unknowns:
                    x -= 0.9 * x.grad
                    x.grad *= 0.9  # what is left is the momentum
        if step % 100 == 0 or step == steps:
            report(*shown(*(x.detach() for x in unknowns)), stop=False)
