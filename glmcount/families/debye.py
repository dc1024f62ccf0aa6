"""The Poisson-inverse Gaussian at large counts, by Debye's expansion of its Bessel function.

With b = 1 / alpha, nu = y - 1/2 and q^2 = nu^2 + b^2 + 2 mu b, the integrand of the mixture is
largest at

    w = (nu + q) / (2 mu + b),    M = mu w,    y - M = 1/2 + b (w - 1 / w) / 2

and Debye's expansion of K_nu, uniform in its argument (Olver 1974, Asymptotics and Special
Functions, section 10.7), becomes

    log f(y) = -D(y, M) - b (w - 1)^2 / 2 w + log(b / q w) / 2 + s(q, nu^2 / q^2)
               - [log y! - (y log y - y)]

with D as in `large`. The logarithm of the expansion is s, a sum over k of polynomials c_k in
nu^2 / q^2 over q^k; six of them leave 1e-16 of s and 4e-15 of its second derivative from a
count of 256 on. The cost does not grow with the count.
"""

from __future__ import annotations

import numpy as np

from glmcount.families.large import LEAST, entropy
from glmcount.numerics import Array

__all__ = ["saddle"]

# c_1 to c_6, from the constant term on.
SERIES = (
    (-1 / 8, 5 / 24),
    (1 / 16, -3 / 8, 5 / 16),
    (-25 / 384, 531 / 640, -221 / 128, 1105 / 1152),
    (13 / 128, -71 / 32, 531 / 64, -339 / 32, 565 / 128),
    (-1073 / 5120, 50049 / 7168, -186821 / 4608, 44899 / 512, -82825 / 1024, 82825 / 3072),
    (103 / 192, -405 / 16, 1677 / 8, -5389 / 8, 65385 / 64, -11805 / 16, 19675 / 96),
)


def _series(q: Array, x: Array) -> tuple[Array, Array, Array]:
    """The sum s and two derivatives in log q, of which a term x^j / q^k has -(2 j + k)."""
    total = np.zeros((3, *np.broadcast_shapes(q.shape, x.shape)))
    for k in range(len(SERIES), 0, -1):
        part = np.zeros_like(total)
        for j in range(k, -1, -1):
            c, power = SERIES[k - 1][j], -(2.0 * j + k)
            part *= x
            part += np.array([[c], [c * power], [c * power * power]])
        total += part
        total /= q
    return total[0], total[1], total[2]


def saddle(y: Array, mu: Array, alpha: Array) -> tuple[Array, ...]:
    """Value and derivatives in m = log mu and a = log alpha: (l, l_m, l_a, l_mm, l_ma, l_aa)."""
    b, nu = 1.0 / np.maximum(alpha, LEAST), y - 0.5
    whole = 2.0 * mu + b
    # Of b^2 the square overflows.
    q = np.hypot(nu, np.sqrt(b) * np.sqrt(whole))
    rest = whole - nu
    over = np.where(rest > 0, 2.0 * (nu - mu) / (rest + q), (q - rest) / whole)
    w = (nu + q) / whole
    centre = mu * w
    # nu - M, the entropy of the mixing distribution, and (q - M) / q.
    gap = 0.5 * b * over * (2.0 + over) / w
    push = 0.5 * b * over * over / w
    keep = 0.5 * (b / q) * (w + 1.0 / w)
    # x + square + 2 pull = 1; log q has derivatives pull and -turn.
    x, square, pull = np.square(nu / q), np.square(b / q), (mu / q) * (b / q)
    turn = square + pull
    s, s1, s2 = _series(q, x)
    half = s1 - 0.5
    bent = -2.0 * square * x - pull * x - square * pull
    return (
        s - entropy(y, centre, gap + 0.5) - push + 0.5 * np.log(b / q / w),
        gap + 0.5 + half * pull,
        push - 0.5 * (x + pull) - s1 * turn,
        -centre * keep + half * pull * (x + square) + s2 * pull * pull,
        -(centre / q) * gap - half * pull * (x - square) - s2 * pull * turn,
        gap * (gap / q) - push - half * bent + s2 * turn * turn,
    )
