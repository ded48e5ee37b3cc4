# SPDX-License-Identifier: BSD-3-Clause
"""Rates, quantiles and counts, each with what is known of it: a 95 % interval."""

import math
import random

Z = 1.959964


def wilson(k, n):
    """Of a rate; (0, 1) when nothing was tried."""
    if not n:
        return 0.0, 1.0
    p, z2 = k / n, Z * Z / n
    middle, half = p + z2 / 2, Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def at_most(k, mu):
    """P[Poisson(mu) <= k]."""
    return sum(math.exp(-mu + i * math.log(mu) - math.lgamma(i + 1)) for i in range(k + 1)) if mu > 0 else 1.0


def bisect(low, high, is_low):
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return (low + high) / 2


def poisson(k):
    """Of the expected count behind k events (exact)."""
    top = 10 + 3 * k
    upper = bisect(0, top, lambda mu: at_most(k, mu) > 0.025)
    lower = bisect(0, top, lambda mu: 1 - at_most(k - 1, mu) < 0.025) if k else 0.0
    return lower, upper


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else None


def bootstrap(values, q, laps=400):
    """Of a quantile."""
    if not values:
        return None, None
    rng = random.Random(1)
    found = sorted(quantile(rng.choices(values, k=len(values)), q) for _ in range(laps))
    return found[int(0.025 * laps)], found[int(0.975 * laps)]


class Rate:
    def __init__(self, outcomes):
        outcomes = list(outcomes)
        self.k, self.n = sum(map(bool, outcomes)), len(outcomes)

    def json(self):
        low, high = wilson(self.k, self.n)
        return {"k": self.k, "n": self.n, "rate": self.k / self.n if self.n else None, "low": low, "high": high}

    def __str__(self):
        if not self.n:
            return "–"
        low, high = wilson(self.k, self.n)
        return f"{100 * self.k / self.n:.1f} % ({100 * low:.1f}–{100 * high:.1f}, n={self.n})"

    @property
    def brief(self):
        return f"{100 * self.k / self.n:.1f} %" if self.n else "–"


class Quantiles:
    def __init__(self, values):
        self.values = list(values)

    def json(self):
        return {f"p{round(100 * q)}": quantile(self.values, q) for q in (0.5, 0.95, 1)} | {"n": len(self.values)}

    def __str__(self):
        if not self.values:
            return "–"
        low, high = bootstrap(self.values, 0.5)
        return f"{quantile(self.values, .5):.0f} s ({low:.0f}–{high:.0f}); p95 {quantile(self.values, .95):.0f} s"

    @property
    def brief(self):
        return "–" if not self.values else f"{quantile(self.values, .5):.0f} / {quantile(self.values, .95):.0f} s"


class PerDay:
    def __init__(self, count, days):
        self.count, self.days = count, days

    def json(self):
        low, high = poisson(self.count)
        return {"count": self.count, "days": self.days, "per_day": self.count / self.days, "low": low / self.days,
                "high": high / self.days}

    def __str__(self):
        low, high = poisson(self.count)
        return f"{self.count / self.days:.2f} ({low / self.days:.2f}–{high / self.days:.2f}; " \
               f"{self.count} in {self.days:g} d)"
