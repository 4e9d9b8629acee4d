"""The kinds of rows on which accuracy is shown: name -> function(random generator, dtype) -> rows of scores."""

import numpy as np

#: Results from the smallest normal number down to nothing lie this far below a row's maximum.
SUBNORMAL = {np.float32: (87.0, 104.5), np.float64: (708.0, 746.0)}


def _normal(scale, offset=0.0, shape=(64, 1000)):
    return lambda rng, dtype: (rng.standard_normal(shape) * scale + offset).astype(dtype)


def _uniform(low, high, shape=(64, 1000)):
    return lambda rng, dtype: rng.uniform(low, high, shape).astype(dtype)


def _nearly_one_hot(rng, dtype):
    """The winner leads by 5 to 100, so that its probability is 1 and its logarithm as small as 1e-44."""
    x = rng.standard_normal((400, 50))
    x[np.arange(400), rng.integers(0, 50, 400)] += np.linspace(5, 100, 400)
    return x.astype(dtype)


def _subnormal(rng, dtype):
    x = -rng.uniform(*SUBNORMAL[dtype], (64, 300))
    x[:, 7] = rng.uniform(-1, 1, 64)
    return x.astype(dtype)


def _some_infinite(rng, dtype):
    x = rng.standard_normal((64, 100)).astype(dtype)
    x[rng.random(x.shape) < 0.3] = -np.inf
    x[:, 3] = 0
    return x


def _huge(rng, dtype):
    """Entries whose differences are lost in their size, except where they repeat."""
    x = rng.choice([-1, 1], (40, 100)) * np.exp(rng.uniform(10, np.log(np.finfo(dtype).max / 4), (40, 1)))
    return x.astype(dtype)


def _mixed_sizes(rng, dtype):
    """Entries from tiny to large in a row: x - max has no exact value in the type."""
    return (rng.choice([-1, 1], (64, 200)) * np.exp(rng.uniform(-60, 6.5, (64, 200)))).astype(dtype)


def _cancelling(rng, dtype):
    """Rows of log-probabilities, whose logsumexp is nearly 0."""
    x = rng.standard_normal((2000, 5)) * 2
    return (x - np.log(np.exp(x).sum(-1, keepdims=True))).astype(dtype)


def _chunks_apart(rng, dtype):
    """Rows of chunks (of 8192 entries) that lie far apart: up to where nothing is left of the smaller one, and
    beyond; around the sizes from which on a maximum is subtracted; and chunks of -inf alone."""
    largest = {np.float32: 2.0**16, np.float64: 2.0**20}[dtype]
    ends = {np.float32: (20, 45, 88, 100, 103.5, 150), np.float64: (100, 140, 500, 708, 740, 1500)}[dtype]
    levels = [(0, -0.3, 0.2), (-np.inf, 0, -np.inf), *((0, -d, -d / 2) for d in ends), *((-d, 0, 1 - d) for d in ends)]
    levels += [(sign * largest - 1, sign * largest + 1, sign * largest - 60) for sign in (1, -1)]
    levels += [(3 * largest, 0, 3 * largest - 50), (-3 * largest, -3 * largest + 40, -largest)]
    x = rng.standard_normal((len(levels), 2 * 8192 + 300)) / 2
    for row, (a, b, c) in zip(x, levels, strict=True):
        row[:8192] += a
        row[8192:16384] += b
        row[16384:] += c
    return x.astype(dtype)


def _cancelling_chunks(rng, dtype):
    """The same of log-probabilities, whose chunks have maxima of their own."""
    x = rng.standard_normal((20, 2 * 8192 + 300)) * 2
    x[:, 8192:] -= 3
    x -= np.log(np.exp(x).sum(-1, keepdims=True))
    return x.astype(dtype)


KINDS = {
    "N(0,1)": _normal(1),
    "N(0,3)": _normal(3),
    "N(0,30)": _normal(30),
    "U(-80,0)": _uniform(-80, 0),
    "U(-700,700)": _uniform(-700, 700),
    "N(0,3) + 3e4": _normal(3, 3e4),
    "N(0,3) - 3e4": _normal(3, -3e4),
    "N(0,3) - 9e5": _normal(3, -9e5),
    "N(0,30) + 9e5": _normal(30, 9e5),
    "1 class": _normal(10, shape=(100, 1)),
    "2 classes": _normal(3, shape=(8000, 2)),
    "2 classes, wide": _normal(40, shape=(8000, 2)),
    "3 classes": _normal(3, shape=(6000, 3)),
    "10 classes": _normal(3, shape=(4000, 10)),
    "197 classes": _normal(2, shape=(200, 197)),
    "128k classes": _normal(3, shape=(1, 131072)),
    "a million equal": lambda rng, dtype: np.full((1, 1_000_000), 3.25, dtype),
    "nearly one-hot": _nearly_one_hot,
    "subnormal results": _subnormal,
    "some -inf": _some_infinite,
    "huge": _huge,
    "tiny": _normal(1e-30, shape=(20, 100)),
    "mixed sizes": _mixed_sizes,
    "equal": lambda rng, dtype: np.repeat(rng.standard_normal((40, 1)) * 20, 37, axis=1).astype(dtype),
    "log-probabilities": _cancelling,
    "chunks apart": _chunks_apart,
    "log-probabilities of three chunks": _cancelling_chunks,
}
