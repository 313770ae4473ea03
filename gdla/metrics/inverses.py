"""The natural gradient for the inverse: the metric in which X^-1 is measured, and costs nothing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from gdla.metrics.base import LIMIT, Measured, Metric
from gdla.metrics.stacks import SMALL, diagonal, eye, flushed, laid_out, matmul, norm, qr


class NewtonSchulz(Metric):
    """Invert A by natural gradients, accelerated with Chebyshev's polynomial: products alone.

    The loss 1/2 ||X^-1 - A||_F^2 asks X^-1 to be A. In the metric ||X^-1 H X^-1||_F, where a change
    H of X is as long as the change it makes to X^-1, its gradient is X A X - X: the inverses
    cancel. The unit step X <- 2 X - X A X squares the error I - A X (Schulz 1933, ZAMM 13), and
    from X = A^H / bound, bound >= ||A||^2, arrives after about 2 log2(kappa) + 8 steps (Ben-Israel
    and Cohen 1966, SIAM Journal on Numerical Analysis 3).

    Most of these steps lift the small eigenvalues of A X, each by a factor 2. Of all quadratics
    that of Chebyshev brings the interval [l, u] that holds them nearest to 1, which lifts them by
    up to 4 (Pan and Schreiber 1991, SIAM Journal on Scientific and Statistical Computing 12). The
    lower end is estimated by a few vectors that follow the smallest eigenvalue; an estimate that is
    too high costs steps, not convergence.

    Rounding leaves A X - I near eps kappa, but X A - I near eps kappa^2: from a condition of some
    1e5 on, 1e3 in float32, the residual, which is the larger of both, passes the limit late, by
    luck, and soon not at all. `gdla.inv` therefore descends in the metric `Inverse`.
    """

    def __init__(self, A: Tensor, *, accelerate: bool = True, vectors: int = 8) -> None:
        """Take A of shape (batch, n, n), n >= 1, whose entries are about one."""
        self.A, self.accelerate = A, accelerate
        n = A.shape[-1]
        generator = torch.Generator().manual_seed(0)  # any start serves; this one is reproducible
        block = torch.randn(n, min(n, vectors), generator=generator, dtype=A.dtype)
        self.block = block.to(A.device).expand(len(A), -1, -1)
        self.upper = torch.ones_like(A[:, :1, :1].real)

    def start(self) -> tuple[Tensor]:
        """Return A^H over a bound of ||A||^2, so that the eigenvalues of A X lie in (0, 1]."""
        columns, rows = (self.A.abs().sum(dim).amax(-1) for dim in (-2, -1))
        bound = torch.minimum(columns * rows, norm(self.A).square())
        return (self.A.mH / torch.where(bound > 0, bound, 1)[:, None, None],)

    def __call__(self, X: Tensor) -> Measured:
        """Measure both residuals; the loss is 1/2 ||A X - I||_F^2."""
        Y = matmul(self.A, X)
        loss = 0.5 * norm(Y - eye(Y)).square()
        XY = matmul(X, Y)
        gradient = XY - X
        if self.accelerate:
            lower = self._lower(Y)
            centre, radius = self.upper + lower, self.upper - lower
            # What is left of the error on [l, u]: the smaller, the narrower the interval was.
            left = 1 / (2 * (centre / radius).square() - 1)
            stretched = X - 8 * left / radius.square() * (centre * X - XY)
            far = (loss[:, None, None] > 0.1) & (lower < 0.5 * self.upper)
            gradient = torch.where(far, stretched, gradient)
            self.upper = torch.where(far, 1 + left, 1)
        return Measured(loss, (gradient,), inverse_error(self.A, X, Y))

    def keep(self, members: Tensor) -> None:
        """Go on with the members where the mask is True."""
        self.A, self.block, self.upper = (x[members] for x in (self.A, self.block, self.upper))

    def _lower(self, Y: Tensor) -> Tensor:
        """Estimate the smallest eigenvalue of Y by the power method on u I - Y, and stay below."""
        for _ in range(2):
            block = self.upper * self.block - Y @ self.block
            length = torch.linalg.vector_norm(block, dim=-2, keepdim=True)
            self.block = block / length.clamp_min(torch.finfo(Y.dtype).tiny)
        quotients = (self.block.conj() * (Y @ self.block)).real.sum(-2, keepdim=True)
        return 0.7 * quotients.amin(-1, keepdim=True).clamp_min(torch.finfo(Y.dtype).eps)


class Inverse(Metric):
    """Invert A = Q R by natural gradients on diagonal blocks of R, which double with each step.

    The gradient is that of `NewtonSchulz`, Z R Z - Z for the inverse Z of R, and so is its unit
    step, which squares the error I - R Z. But a triangle is kinder than A. Let a step see the
    diagonal blocks of one size only, when Z inverts those of half the size. The error of a block
    is then strictly upper triangular,

        I - [R1 R12] [Z1   ]  =  [0  -R12 Z2]
            [    R2] [   Z2]     [0     0   ],

    and its square is zero: the step inverts the block. From Z = diag(R)^-1 all of R is inverted
    after ceil(log2 n) steps, whatever its condition. This is the recursion by which triangles are
    inverted stably (Higham 2002, Accuracy and Stability of Numerical Algorithms, chapter 14), so
    X = Z Q^H is accurate as an inverse from both sides. Steps beyond it see all of R, and polish.

    A tall A of full rank has its pseudo-inverse in X. A member whose condition is beyond n / eps is
    given up.
    """

    def __init__(self, A: Tensor) -> None:
        """Take A of shape (batch, m, n), m >= n >= 1, whose entries are about one."""
        self.A = laid_out(flushed(A))
        self.Q, self.R = (laid_out(M) for M in qr(self.A))
        self.every_Q = self.Q
        n = A.shape[-1]
        # Of a tiny triangle all is seen at once: the error is nilpotent all the same.
        self.size = n if n <= SMALL else 1
        self.ahead = (n - 1).bit_length()  # ceil(log2 n) steps

    def start(self) -> tuple[Tensor]:
        """Invert the diagonal of R; where an entry proves that kappa > n / eps, put zero."""
        d = diagonal(self.R)
        least = torch.finfo(d.dtype).eps / d.shape[-1] * norm(self.R).unsqueeze(-1)
        return (laid_out(torch.diag_embed(torch.where(d.abs() > least, 1 / d, 0))),)

    def value(self, Z: Tensor) -> Tensor:
        """Return X = Z Q^H for all members."""
        return matmul(laid_out(Z), self.every_Q.mH)

    def __call__(self, Z: Tensor) -> Measured:
        """Measure 1/2 ||R Z - I||_F^2 over the blocks that are seen next, and X once all were."""
        Z = laid_out(Z)
        n = Z.shape[-1]
        residual = torch.full_like(Z[:, 0, 0].real, torch.inf)
        if self.ahead == 0:
            X = matmul(Z, self.Q.mH)
            product = matmul(self.A, X) if self.A.shape[-2] == n else matmul(self.R, Z)
            residual = inverse_error(self.A, X, product)
            residual = torch.where(residual < LIMIT, residual, torch.nan)
        self.ahead = max(self.ahead - 1, 0)
        self.size = min(2 * self.size, n)
        R, seen = _blocks(self.R, self.size), _blocks(Z, self.size)
        E = matmul(R, seen)
        diagonal(E).sub_(1)
        loss = 0.5 * norm(E).square().unflatten(0, (-1, Z.shape[0])).sum(0)
        singular = ~loss.isfinite() | (diagonal(Z) == 0).any(-1)
        rough = ~singular & (residual >= 1)
        if singular.any():
            residual = residual.masked_fill(singular, torch.nan)
            loss = loss.masked_fill(singular, n / 2)
        if not rough.any():
            return Measured(loss, (torch.zeros_like(Z),), residual)
        gradient = _unblocked(matmul(seen, E), Z)
        if not rough.all():
            gradient = gradient.masked_fill(~rough[:, None, None], 0)
        return Measured(loss, (gradient,), residual)

    def keep(self, members: Tensor) -> None:
        """Go on with the members where the mask is True."""
        self.A, self.Q, self.R = (laid_out(M[members]) for M in (self.A, self.Q, self.R))


def inverse_error(A: Tensor, X: Tensor, product: Tensor | None = None) -> Tensor:
    """Measure the larger of ||A X - I|| and ||X A - I|| over n eps ||A|| ||X||, for each member.

    Rounding changes a computed ||A X - I|| by less than sqrt(n) eps ||A|| ||X|| (Higham and Mary
    2019, SIAM Journal on Scientific Computing 41). Where the sum of both reaches 1, A may be
    singular and no X is an inverse: the number is then above the limit, whatever the size of X.

    Args:
        A: shape (batch, m, n), m >= n.
        X: shape (batch, n, m).
        product: what stands for A X, and is overwritten; default: A X.
    """
    rounding = torch.finfo(A.dtype).eps * norm(A) * norm(X)
    unit = (A.shape[-2] * rounding).clamp_min(torch.finfo(A.dtype).tiny)
    product = matmul(A, X) if product is None else product
    diagonal(product).sub_(1)
    right = norm(product)
    error = right / unit
    certain = right + A.shape[-2] ** 0.5 * rounding < 1  # False for NaN
    error = torch.where(certain, error, error + LIMIT)
    if (error < LIMIT).any():
        product = matmul(X, A)
        diagonal(product).sub_(1)
        error = torch.maximum(error, norm(product) / unit)
    return error


def _blocks(A: Tensor, size: int) -> Tensor:
    """Return the diagonal blocks, shape (number * batch, size, size); zeros fill up the last."""
    if size == A.shape[-1]:
        return A
    missing = -A.shape[-1] % size
    A = pad(A, (0, missing, 0, missing)) if missing else A
    rows = A.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))
    return rows.diagonal(dim1=-4, dim2=-2).movedim(-1, 0).flatten(0, 1)


def _unblocked(blocks: Tensor, like: Tensor) -> Tensor:
    """Return the matrices with these diagonal blocks, without what filled up the last."""
    batch, n = like.shape[:2]
    size = blocks.shape[-1]
    if size >= n:
        return blocks[:, :n, :n]
    whole = -(-n // size) * size
    A = blocks.new_zeros(batch, whole, whole)
    rows = A.unflatten(-1, (-1, size)).unflatten(-3, (-1, size))
    rows.diagonal(dim1=-4, dim2=-2).movedim(-1, 0).copy_(blocks.unflatten(0, (-1, batch)))
    return A[:, :n, :n]
