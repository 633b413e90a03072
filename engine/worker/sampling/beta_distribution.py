"""The cumulative distribution of the beta distribution, which neither Python nor PyTorch has."""

from __future__ import annotations

import math

_TINY = 1e-300


def cumulative(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) for x in 0 … 1, to about 1e-14.

    The continued fraction of DLMF 8.17.22, evaluated by Lentz's method, on the side where it converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if a == b and x == 0.5:
        return 0.5
    if x > (a + 1) / (a + b + 2):
        return 1 - cumulative(1 - x, b, a)
    log_front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(log_front) / (a * _continued_fraction(x, a, b))


def _continued_fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)) with the coefficients of DLMF 8.17.23."""
    value, upper, lower = 1.0, 1.0, 0.0
    for n in range(1, 1000):
        m = n // 2
        if n % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / ((1 + d * lower) or _TINY)
        upper = (1 + d / upper) or _TINY
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-16:
            break
    return value
