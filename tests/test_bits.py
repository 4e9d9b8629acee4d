"""A row's bits depend on its values alone: not on other rows, the layout, the threads or the instruction set."""

from contextlib import contextmanager

import numpy as np
import pytest
import registry
from rows import KINDS

import fastact
from fastact import _config, _core

#: Blocks, vectors and chunks of 8192 end between these; rows from 16384 on are split over threads in large calls.
LENGTHS = (1, 2, 3, 7, 10, 16, 17, 31, 33, 64, 65, 100, 130, 196, 1000, 2049, 8191, 8192, 8193, 16384, 20011)


def _every_other(a):
    wide = np.full((a.shape[0], 2 * a.shape[1]), np.nan, a.dtype)
    wide[:, ::2] = a
    return wide[:, ::2]


def _padded(a):
    wide = np.full((a.shape[0], a.shape[1] + 3), np.nan, a.dtype)
    wide[:, 1:-2] = a
    return wide[:, 1:-2]


def _at_byte(offset):
    def place(a):
        room = np.empty(a.nbytes + 64, np.uint8)
        start = -room.ctypes.data % 64 + offset
        b = room[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
        b[...] = a
        return b

    return place


def _in_records(a):
    records = np.empty(a.shape, [("before", "i1"), ("entry", a.dtype)])
    records["entry"] = a
    return records["entry"]


def _read_only(a):
    b = a.copy()
    b.flags.writeable = False
    return b


#: name -> (function(C-contiguous rows) -> equal rows in another layout, the axis of the entries in it)
LAYOUTS = {
    "C order": (np.copy, -1),
    "Fortran order": (np.asfortranarray, -1),
    "axis 0": (lambda a: a.T.copy(), 0),
    "axis 0, Fortran order": (lambda a: a.T, 0),
    "middle axis": (lambda a: a.T.copy()[None], 1),
    "middle axis, last axis strided": (lambda a: _every_other(a.T)[None], 1),
    "every other entry": (_every_other, -1),
    "every other row": (lambda a: np.repeat(a, 2, axis=0)[::2], -1),
    "negative strides": (lambda a: a[:, ::-1].copy()[:, ::-1], -1),
    "negative strides across": (lambda a: a[::-1].copy()[::-1], -1),
    "negative strides, axis 0": (lambda a: a.T[::-1].copy()[::-1], 0),
    "padded rows": (_padded, -1),
    "aligned to 64": (_at_byte(0), -1),
    "aligned to an entry": (_at_byte(8), -1),
    "misaligned by 1": (_at_byte(1), -1),
    "misaligned by 2": (_at_byte(2), -1),
    "record fields": (_in_records, -1),
    "byte-swapped": (lambda a: a.astype(a.dtype.newbyteorder()), -1),
    "byte-swapped, axis 0": (lambda a: a.T.astype(a.dtype.newbyteorder()), 0),
    "read-only": (_read_only, -1),
}


@contextmanager
def _past_the_caches():
    """Every output is stored as one larger than the last-level cache."""
    try:
        _core._set_cache_bytes(0)
        yield
    finally:
        _core._set_cache_bytes(_config.last_level_cache())


def _scores(rows, n, dtype):
    return (np.random.default_rng(n).standard_normal((rows, n)) * 5).astype(dtype)


def _alone(function, operands):
    """Each row by itself, contiguous, on one thread."""
    with fastact.threads(1):
        return np.array([function(*(x[r].copy() for x in operands)) for r in range(len(operands[0]))])


def _assert_same_bits(got, want, *what):
    got = np.asarray(got)
    assert got.dtype == want.dtype, what
    assert got.shape == want.shape, what
    bits = f"u{want.dtype.itemsize}"
    different = np.ascontiguousarray(got).view(bits) != np.ascontiguousarray(want).view(bits)
    if different.any():
        at = np.unravel_index(np.argmax(different), different.shape)
        pytest.fail(
            f"{' '.join(map(str, what))} {got.dtype} {fastact.isa()}: index {tuple(map(int, at))} is {got[at]!r}, "
            f"{want[at]!r} for the row alone ({np.count_nonzero(different)} of {different.size} differ)",
            pytrace=False,
        )


def _rows_last(function, result, axis, shape):
    return np.reshape(result if function.reduces else np.moveaxis(result, axis, -1), shape)


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_layouts(function, dtype, isa):
    for n in LENGTHS:
        operands = function.operands(_scores(18 if n < 8000 else 7 if n < 8193 else 3, n, dtype))
        want = _alone(function, operands)
        for layout, (place, axis) in LAYOUTS.items():
            if dtype == np.float16 and n > 200 and layout not in ("C order", "axis 0"):
                continue
            placed = [place(x) for x in operands]
            got = _rows_last(function, function(*placed, axis=axis), axis, want.shape)
            _assert_same_bits(got, want, function, "n =", n, layout)


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_arrays_beyond_the_caches(function, dtype, isa):
    """Rows go through other kernels there."""
    for n in (24, 64, 150, 1500):
        rows = 5 * 2**20 // np.dtype(dtype).itemsize // n
        x = _scores(rows, n, dtype)
        x[20, 0] = x[-20, -1] = 300  # nothing is left of the others
        operands = function.operands(x)
        got = function(*operands)
        for at in (slice(0, 40), slice(-40, None)):
            _assert_same_bits(got[at], _alone(function, [x[at] for x in operands]), function, "n =", n, "far")


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_many_rows(function, dtype, isa):
    """Three groups of sixteen rows are under way at a time, among them such as have special cases of their own."""
    large = dtype(1e3 if dtype == np.float16 else 1e6)
    for n in (17, 25, 33, 48, 65, 100, 130, 196, 300, 515, 1000, 2049, 8193, 20011):
        x = _scores(170 if n < 2000 else 45, n, dtype)
        x[3] = np.inf
        x[10] *= large
        x[20, n // 2] = np.nan
        x[21] *= large
        x[30] = -np.inf
        x[38:40, -1] = np.inf
        x[44, 0] = np.nan
        x[-20, -1] = -np.nan
        operands = function.operands(x)
        want = _alone(function, operands)
        _assert_same_bits(function(*operands), want, function, "n =", n, "many rows")
        for k in range(0 if function.reduces else len(operands)):
            copies = [x.copy() for x in operands]
            _assert_same_bits(function(*copies, out=copies[k]), want, function, "n =", n, "many rows into operand", k)


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_few_rows(function, dtype, isa):
    """Fewer than fill a group, with and without special cases among them."""
    for n in (10, 20, 33, 64, 100, 200, 300):
        plain = _scores(40, n, dtype)
        special = plain.copy()
        special[1, n - 1] = np.nan
        special[4] = -np.inf
        special[16, 0] = np.inf
        for x in (plain, special):
            operands = function.operands(x)
            want = _alone(function, operands)
            for rows in (2, 3, 4, 6, 9, 15, 17, 31, 33):
                for first in (0, 5):
                    few = slice(first, first + rows)
                    got = function(*(x[few] for x in operands))
                    _assert_same_bits(got, want[few], function, "n =", n, "rows", few)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_every_length(function, dtype, isa):
    for n in range(1, 131):
        operands = function.operands(_scores(17, n, dtype))
        want = _alone(function, operands)
        _assert_same_bits(function(*operands), want, function, "n =", n, "batch")
        columns = [x.T.copy() for x in operands]
        _assert_same_bits(np.asarray(function(*columns, axis=0)).T, want, function, "n =", n, "axis 0")
        for place in (0, 1, 16):
            among = [np.full((17, n), 7, dtype) for _ in operands]
            for a, x in zip(among, operands, strict=True):
                a[place] = x[0]
            _assert_same_bits(function(*among)[place], want[0], function, "n =", n, "at place", place)


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if not f.reduces], ids=str)
def test_in_place(function, dtype, isa):
    for n in (1, 3, 10, 33, 130, 1000, 8193, 20011):
        operands = function.operands(_scores(17 if n < 8000 else 4, n, dtype))
        want = _alone(function, operands)
        for layout, (place, axis) in LAYOUTS.items():
            if layout in ("read-only",):
                continue
            for k in range(len(operands)):
                placed = [place(x.copy()) for x in operands]
                assert function(*placed, axis=axis, out=placed[k]) is placed[k]
                got = _rows_last(function, placed[k], axis, want.shape).astype(dtype)
                _assert_same_bits(got, want, function, "n =", n, layout, "into operand", k)


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if f.is_gradient], ids=str)
def test_sums_beyond_the_format(function, dtype, isa):
    """Many rows and each alone, short ones and long, agree where the sum of a gradient is infinite when rounded."""
    for n in (3, 10, 100, 1000):
        operands = [np.full((20, n), np.finfo(dtype).max / 2, dtype), np.ones((20, n), dtype)]
        got, want = function(*operands), _alone(function, operands)
        assert np.array_equal(np.isnan(got), np.isnan(want)), (function, dtype, n, got[0], want[0])
        _assert_same_bits(np.where(np.isnan(got), 0, got), np.where(np.isnan(want), 0, want), function, "n =", n)
        if dtype == np.float32:  # the sum is finite in double
            assert (got == -np.inf).all(), (function, n, got[0])


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_threads(function, dtype, threads):
    for rows, n in ((2000, 300), (50, 10007), (11, 50001), (3, 160001), (1, 500009)):
        operands = function.operands(_scores(rows, n, dtype))
        want = _alone(function, operands)
        fastact.set_num_threads(threads)
        _assert_same_bits(function(*operands), want, function, (rows, n), threads, "threads")
        columns = [x.T.copy() for x in operands]
        _assert_same_bits(
            np.asarray(function(*columns, axis=0)).T, want, function, (rows, n), threads, "threads, axis 0"
        )


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_chunks_apart(function, dtype, isa):
    """A long row's chunks have scales of their own: alone, in a batch, past the caches, in place and on threads."""
    x = KINDS["chunks apart"](np.random.default_rng(7), np.float32 if dtype == np.float16 else dtype)
    x = np.concatenate([x, x[:, :9000] - 2], axis=1)
    x = x.clip(-6e4, 6e4).astype(dtype) if dtype == np.float16 else x
    x[3, 9000] = x[6, 16500] = np.nan
    x[7, 16400] = np.inf
    operands = function.operands(x)
    want = _alone(function, operands)
    for threads in (1, 2, 3):
        fastact.set_num_threads(threads)
        _assert_same_bits(function(*operands), want, function, threads, "threads, batch")
        one = np.array([function(*(x[r] for x in operands)) for r in range(len(x))])
        _assert_same_bits(one, want, function, threads, "threads, row by row")
        with _past_the_caches():
            _assert_same_bits(function(*operands), want, function, threads, "threads, past the caches")
        if not function.reduces:
            copies = [x.copy() for x in operands]
            _assert_same_bits(function(*copies, out=copies[0]), want, function, threads, "threads, in place")


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if not f.reduces], ids=str)
def test_threads_in_place(function, dtype):
    for rows, n in ((2000, 300), (1, 500009)):
        operands = function.operands(_scores(rows, n, dtype))
        want = _alone(function, operands)
        fastact.set_num_threads(7)
        for layout in ("C order", "axis 0", "every other entry", "negative strides"):
            place, axis = LAYOUTS[layout]
            for k in range(len(operands)):
                placed = [place(x.copy()) for x in operands]
                function(*placed, axis=axis, out=placed[k])
                _assert_same_bits(_rows_last(function, placed[k], axis, want.shape), want, function, (rows, n), layout)


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if f.has_where], ids=str)
def test_where_all_true(function, dtype, isa):
    for rows, n in ((18, 1), (18, 10), (18, 33), (18, 130), (5, 8193), (1, 140001)):
        operands = function.operands(_scores(rows, n, dtype))
        want = _alone(function, operands)
        for where in (True, np.True_, np.ones(n, bool), np.ones((rows, n), bool), np.ones((rows, 2 * n), bool)[:, ::2]):
            _assert_same_bits(function(*operands, where=where), want, function, "n =", n, "where all True")


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", [f for f in registry.FUNCTIONS if f.has_where], ids=str)
def test_where_in_any_layout(function, dtype, isa):
    """The same bits with a mask, whatever lies below it, in every layout and on any number of threads."""
    rng = np.random.default_rng(5)
    for rows, n in ((18, 10), (18, 130), (3, 8193), (1, 140001)):
        (x,) = function.operands(_scores(rows, n, dtype))
        where = rng.random(x.shape) < 0.7
        with fastact.threads(1):
            want = np.array([function(x[r], where=where[r]) for r in range(rows)])
        hidden = np.where(where, x, rng.choice([np.nan, np.inf, -np.inf, 6e4], x.shape)).astype(dtype)
        for threads in (1, 7):
            fastact.set_num_threads(threads)
            for layout, (place, axis) in LAYOUTS.items():
                if n > 10000 and layout not in ("C order", "axis 0", "negative strides"):
                    continue
                got = function(place(hidden), axis=axis, where=place(where))
                _assert_same_bits(
                    _rows_last(function, got, axis, want.shape), want, function, "n =", n, "where", layout
                )


@pytest.mark.parametrize("dtype", [np.float16, *registry.DTYPES])
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_instruction_sets_with_fma(function, dtype):
    names = [name for name in fastact.available_isas() if name != "baseline"]
    if len(names) < 2:
        pytest.skip(f"this processor has {', '.join(names)} alone")
    rng = np.random.default_rng(6)
    for n in (*range(1, 140), 1000, 8193, 20011, 140001):
        for scale, offset in ((1, 0), (5, 0), (40, 0), (300, 0), (3, 3e4), (3, -9e5)):
            x = rng.standard_normal((max(1, min(18, 2000 // n)), n)) * scale + offset
            operands = function.operands(x.clip(-6e4, 6e4).astype(dtype) if dtype == np.float16 else x.astype(dtype))
            results = []
            for name in names:
                fastact.set_isa(name)
                results.append(np.asarray(function(*operands)))
            for name, result in zip(names[1:], results[1:], strict=True):
                _assert_same_bits(result, results[0], function, "n =", n, name, "unlike", names[0])


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_repeated(function, dtype):
    """Nothing is left over from the call before."""
    operands = function.operands(_scores(5, 1000, dtype))
    want = np.asarray(function(*operands))
    function(*(np.full_like(x, np.nan) for x in operands))
    _assert_same_bits(function(*operands), want, function, "again")


@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_broadcast_rows(function):
    operands = function.operands(_scores(1, 300, np.float64))
    want = _alone(function, operands)
    many = function(*(np.broadcast_to(x, (40, 300)) for x in operands))
    _assert_same_bits(many, np.repeat(want, 40, axis=0), function, "broadcast")


@pytest.mark.parametrize("dtype", registry.DTYPES)
@pytest.mark.parametrize("function", registry.FUNCTIONS, ids=str)
def test_streamed_past_the_caches(function, dtype, isa):
    """Outputs larger than the last-level cache are stored another way: the same entries, and nothing beside them."""
    for n in (17, 31, 65, 79, 100, 196, 1000, 1024, 2048, 2049, 8192, 8193, 8300, 20011, 32768):
        x = _scores(40 if n < 3000 else 7, n, dtype)
        x[2, 0] = x[-2, -1] = np.nan
        x[len(x) // 2] *= 1e6
        x[1, 0] = x[4, -1] = 300  # nothing is left of the others
        operands = function.operands(x)
        want = function(*operands)
        for offset in (0, 4, 8, 16, 60):
            room = np.full(want.nbytes + 256, 0xA5, np.uint8)
            start = -room.ctypes.data % 64 + 64 + offset
            out = room[start : start + want.nbytes].view(dtype).reshape(want.shape)
            with _past_the_caches():
                function(*operands, out=out)
            _assert_same_bits(out, want, function, "n =", n, "offset", offset)
            assert (room[:start] == 0xA5).all()
            assert (room[start + want.nbytes :] == 0xA5).all()
