"""PyTorch's functions and modules: its names, arguments and defaults, on NumPy arrays and on tensors."""

import copy
import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest

import fastact
from fastact.compat import torch as ours

W = np.array([0.25, -0.5, 2.0, 0.0, 1.0, 0.125])
DIMS = [(0,), (1,), (-1,)]
#: PyTorch's function -> fastact's, and what may be given after the input.
FUNCTIONS = {
    "celu": ("celu", [(), (0.7,)]),
    "elu": ("elu", [(), (0.7,)]),
    "gelu": ("gelu", [(), ("tanh",)]),
    "glu": ("glu", [(), (0,), (1,)]),
    "hardsigmoid": ("hard_sigmoid", [()]),
    "hardswish": ("hard_swish", [()]),
    "hardtanh": ("hard_tanh", [(), (-0.5, 2.0)]),
    "leaky_relu": ("leaky_relu", [(), (0.3,)]),
    "log_softmax": ("log_softmax", DIMS),
    "logsigmoid": ("log_sigmoid", [()]),
    "logsumexp": ("logsumexp", [*DIMS, ((0, 1),)]),
    "mish": ("mish", [()]),
    "prelu": ("prelu", [(W[:1],)]),
    "relu": ("relu", [()]),
    "relu6": ("relu6", [()]),
    "selu": ("selu", [()]),
    "sigmoid": ("sigmoid", [()]),
    "silu": ("silu", [()]),
    "softmax": ("softmax", DIMS),
    "softmin": ("softmin", DIMS),
    "softplus": ("softplus", [(), (0.5,)]),
    "softsign": ("softsign", [()]),
    "tanh": ("tanh", [()]),
    "threshold": ("threshold", [(0.5, -3.0)]),
}
CLASSES = {
    "CELU": "celu",
    "ELU": "elu",
    "GELU": "gelu",
    "GLU": "glu",
    "Hardsigmoid": "hardsigmoid",
    "Hardswish": "hardswish",
    "Hardtanh": "hardtanh",
    "LeakyReLU": "leaky_relu",
    "LogSigmoid": "logsigmoid",
    "LogSoftmax": "log_softmax",
    "Mish": "mish",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
    "Softmin": "softmin",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
    "Threshold": "threshold",
}
CALLS = [(name, values) for name, (_, rows) in FUNCTIONS.items() for values in rows]
MODULES = [(name, values) for name, function in CLASSES.items() for values in FUNCTIONS[function][1]]
INPLACE = [(n, v) for n, v in CALLS if "inplace" in inspect.signature(getattr(ours, n)).parameters]
DTYPES = (np.float32, np.float64)


def table(argument, cases):
    return pytest.mark.parametrize((argument, "values"), cases, ids=[f"{n}-{v}" for n, v in cases])


by_call, by_module, by_inplace = table("name", CALLS), table("name", MODULES), table("name", INPLACE)
by_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def scores(dtype=np.float64):
    """Up to 19 in size: beyond 20, PyTorch's softplus is another function."""
    x = np.random.default_rng(3).uniform(-19, 19, (4, 6)).astype(dtype)
    x[0, :2] = 0, 0.5
    return x


def same(got, want, message=""):
    got, want = np.asarray(got), np.asarray(want)
    assert got.dtype == want.dtype, message
    np.testing.assert_array_equal(got, want, err_msg=message)


def expected(name, x, values):
    values = [v.astype(x.dtype) if isinstance(v, np.ndarray) else v for v in values]
    return getattr(fastact, FUNCTIONS[name][0])(x, *values)


def close(torch, got, want):
    """A tensor, as PyTorch's own function gives it but for its errors, which are the larger ones."""
    assert type(got) is torch.Tensor
    assert (got.dtype, got.shape, got.device) == (want.dtype, want.shape, want.device)
    tolerance = 1e-6 if want.dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(got.numpy(), want.numpy(), tolerance, tolerance)


def their_function(torch, name):
    return getattr(torch if name == "logsumexp" else torch.nn.functional, name)


def theirs(torch, name, t, values):
    """PyTorch's result; of its documented arguments some are not taken by position."""
    names = list(inspect.signature(getattr(ours, name)).parameters)[1:]
    given = [torch.from_numpy(v).to(t.dtype) if isinstance(v, np.ndarray) else v for v in values]
    return their_function(torch, name)(t, **dict(zip(names, given, strict=False)))


class Shared:
    """What another library's array may be: memory to be had by DLPack, and nothing else."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Elsewhere(Shared):
    """What another library's array is that NumPy cannot reach."""

    def __dlpack__(self, **options):
        raise BufferError("on another device")


# --- names and signatures -----------------------------------------------------------------------------------------


def test_tables_are_complete():
    assert set(ours.__all__) == {*FUNCTIONS, *CLASSES, "PReLU"}
    public = {n for n, v in vars(ours).items() if n[0] != "_" and getattr(v, "__module__", "") == ours.__name__}
    assert public == set(ours.__all__)
    # PyTorch has no swish beside silu, and no hardmax.
    assert {function for function, _ in FUNCTIONS.values()} >= set(fastact.names()) - {"swish", "hardmax"}


def arguments(function, *, without=()):
    """Names and defaults; compiled functions state theirs in the first line of their documentation."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        written = re.match(r"\s*\w+\((.*?)\)", function.__doc__)[1]
        signature = inspect.signature(eval(f"lambda {written}: None"))
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [(p.name, p.default) for p in signature.parameters.values() if p.kind not in kinds and p.name not in without]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signature_of_function(torch, name):
    # _stacklevel is about a warning, and out not in the functions of torch.nn.functional.
    want = arguments(their_function(torch, name), without=("_stacklevel", "out"))
    assert arguments(getattr(ours, name)) == want


@pytest.mark.parametrize("name", [*CLASSES, "PReLU"])
def test_signature_of_class(torch, name):
    # Deprecated names, and where and as what PyTorch allocates.
    want = arguments(getattr(torch.nn, name), without=("min_value", "max_value", "device", "dtype"))
    assert arguments(getattr(ours, name)) == want


@pytest.mark.parametrize("name", CLASSES)
def test_class_takes_what_the_function_takes(name):
    function = arguments(getattr(ours, CLASSES[name]), without=("input", "dtype"))
    assert arguments(getattr(ours, name)) == function
    assert arguments(getattr(ours, name)(*FUNCTIONS[CLASSES[name]][1][0])) == [("input", inspect.Parameter.empty)]


def test_does_not_import_torch():
    code = (
        "import sys, numpy as np, fastact.compat.torch as t\n"
        "for x in ([1.0], np.ones(1), 1.0): t.relu(x)\n"
        "t.softmax([1.0], 0, np.float32), t.relu(np.ones(1), inplace=True), t.PReLU()(np.ones(2))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- functions on arrays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, *DTYPES])
@by_call
def test_function_of_an_array(name, values, dtype):
    x = scores(dtype)
    want = expected(name, x, values)
    got = getattr(ours, name)(x, *values)
    assert type(got) is type(want)
    same(got, want)
    names = list(inspect.signature(getattr(ours, name)).parameters)
    same(getattr(ours, name)(input=x, **dict(zip(names[1:], values, strict=False))), want)
    whole = x.astype(np.int64)
    same(getattr(ours, name)(whole.tolist(), *values), expected(name, whole.astype(np.float64), values))


@by_dtype
@by_inplace
def test_inplace_on_an_array(name, values, dtype):
    want = getattr(ours, name)(scores(dtype), *values)
    for x in (scores(dtype), np.asfortranarray(scores(dtype)), np.repeat(scores(dtype), 2, axis=1)[:, ::2]):
        assert getattr(ours, name)(x, *values, inplace=True) is x
        same(x, want)
    with pytest.raises(TypeError, match=r"^input must be an array.*inplace.*list"):
        getattr(ours, name)([1.0], *values, inplace=True)


@by_call
def test_function_of_what_has_dlpack(name, values):
    x = scores()
    got = getattr(ours, name)(Shared(x), *values)
    assert type(got) is np.ndarray or np.ndim(got) == 0
    same(got, getattr(ours, name)(x, *values))
    with pytest.raises(TypeError, match=r"^input must be on the CPU.*on another device"):
        getattr(ours, name)(Elsewhere(x), *values)


@by_inplace
def test_inplace_on_what_has_dlpack(name, values):
    x = scores()
    want = getattr(ours, name)(x, *values)
    shared = Shared(x)
    if np.from_dlpack(shared).flags.writeable:  # older versions of NumPy do not tell that it may be
        assert getattr(ours, name)(shared, *values, inplace=True) is shared
        same(x, want)


def test_softplus_above_its_threshold():
    x = np.array([[-50.0, 3.0, 9.99, 10.0, 10.01, 500, np.inf, -np.inf, np.nan]])
    for beta, threshold in ((1.0, 20.0), (2.0, 20.0), (2.0, 5.0)):
        want = np.where(beta * x > threshold, x, fastact.softplus(x, beta))
        same(ours.softplus(x, beta, threshold), want)
        same(ours.Softplus(beta, threshold)(x.astype(np.float32)), np.float32(want))
    assert ours.softplus(10.01, 2.0) == 10.01 != fastact.softplus(10.01, 2.0)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_dim_is_not_guessed(name):
    module = getattr(ours, next(n for n, function in CLASSES.items() if function == name))
    for call in (getattr(ours, name), module(), module(None), lambda x: getattr(ours, name)(x, dim=None)):
        with pytest.raises(TypeError, match=r"\bdim\b"):
            call(scores())


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_dtype(name):
    f, x = getattr(ours, name), scores(np.float32)
    for dtype in (np.float64, "float64", np.float16, "f4"):
        same(f(x, 1, dtype=dtype), f(x.astype(dtype), 1))
    same(f(x, 1, np.float64), f(x.astype(float), 1))
    for bad in (np.int32, complex, "bfloat16"):
        with pytest.raises(TypeError, match="dtype"):
            f(x, 1, dtype=bad)


def test_keepdim():
    for dim in (0, 1, (0, 1)):
        assert ours.logsumexp(scores(), dim, True).shape == np.sum(scores(), dim, keepdims=True).shape


def test_prelu():
    x = np.random.default_rng(4).standard_normal((2, 6, 3)).astype(np.float32)
    want = np.where(x > 0, x, x * W.astype(np.float32)[:, None])
    same(ours.prelu(x, W), want)
    same(ours.prelu(x[..., 0], W), want[..., 0])
    for weight in (0.25, [0.25], W[:1], W[0], np.array(0.25)):
        for a in (x, x[0, 0], x[0, 0, 0]):
            same(ours.prelu(a, weight), np.where(a > 0, a, a * np.float32(0.25)))
    for a, weight in ((x, W[:5]), (x[0, 0], W[:3]), (x, W[:, None]), (np.float32(1), W)):
        with pytest.raises(ValueError, match="weight"):
            ours.prelu(a, weight)


# --- functions on tensors -----------------------------------------------------------------------------------------


@by_dtype
@by_call
def test_function_of_a_tensor(torch, name, values, dtype):
    t = torch.from_numpy(scores(dtype))
    got = getattr(ours, name)(t, *values)
    close(torch, got, theirs(torch, name, t, values))
    same(got.numpy(), getattr(ours, name)(scores(dtype), *values))
    same(t.numpy(), scores(dtype), "input has changed")
    close(torch, getattr(ours, name)(t.T, *values), theirs(torch, name, t.T, values))


@by_call
def test_no_copy(torch, monkeypatch, name, values):
    """The kernels read the tensor's own memory."""
    function = FUNCTIONS[name][0]
    original, seen = getattr(fastact, function), []

    def spy(x, *arguments, **options):
        seen.append(x)
        return original(x, *arguments, **options)

    monkeypatch.setattr(fastact, function, spy)
    t = torch.from_numpy(scores())
    for given in (t, t[:2, ::3], t.T):
        seen.clear()
        getattr(ours, name)(given, *values)
        (x,) = seen
        assert (x.ctypes.data, x.shape) == (given.data_ptr(), tuple(given.shape))
        assert [s // x.itemsize for s in x.strides] == list(given.stride())


@by_dtype
@by_inplace
def test_inplace_on_a_tensor(torch, name, values, dtype):
    want = theirs(torch, name, torch.from_numpy(scores(dtype)), values)
    room = torch.zeros(4, 12, dtype=want.dtype)
    for t in (torch.from_numpy(scores(dtype)), room[:, ::2]):
        t.copy_(torch.from_numpy(scores(dtype)))
        address = t.data_ptr()
        assert getattr(ours, name)(t, *values, inplace=True) is t
        assert t.data_ptr() == address
        close(torch, t, want)
    assert not room[:, 1::2].any()


@by_call
def test_tensors_that_cannot_be_read(torch, name, values):
    t = torch.from_numpy(scores())
    # A view that PyTorch negates when it is read: by DLPack it would come with the wrong sign.
    negative = torch.view_as_complex(torch.stack([t, t], -1)).conj().imag
    assert negative.is_neg()
    for bad in (t.clone().requires_grad_(), t.to("meta"), t.to(torch.bfloat16), t.to_sparse(), negative):
        for options in ({}, {"inplace": True}) if (name, values) in INPLACE else ({},):
            with pytest.raises(TypeError, match=r"^input must be on the CPU.*gradient"):
                getattr(ours, name)(bad, *values, **options)


def test_prelu_of_tensors(torch):
    x = torch.from_numpy(np.random.default_rng(5).standard_normal((2, 6, 3)))
    w = torch.from_numpy(W)
    close(torch, ours.prelu(x, w), torch.nn.functional.prelu(x, w))
    close(torch, ours.prelu(x, W), torch.nn.functional.prelu(x, w))
    close(torch, ours.PReLU(6, 0.5)(x), torch.nn.PReLU(6, 0.5).double()(x).detach())
    close(torch, ours.PReLU()(x.float()), torch.nn.PReLU()(x.float()).detach())
    with pytest.raises(TypeError, match=r"^weight must.*gradient"):
        ours.prelu(x, torch.nn.Parameter(w))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
def test_dtype_of_torch(torch, name):
    t = torch.from_numpy(scores(np.float32))
    for x, dtype, native in ((t, torch.float64, "f8"), (t, np.float64, "f8"), (t, torch.half, "f2")):
        got = getattr(ours, name)(x, 1, dtype=dtype)
        same(got.numpy(), getattr(ours, name)(scores(np.float32).astype(native), 1))
    same(getattr(ours, name)(scores(), 1, dtype=torch.float32), getattr(ours, name)(scores(np.float32), 1))
    close(torch, getattr(ours, name)(t, 1, dtype=torch.float64), their_function(torch, name)(t, 1, dtype=torch.float64))
    for bad in (torch.bfloat16, torch.int32):
        with pytest.raises(TypeError, match="dtype"):
            getattr(ours, name)(t, 1, dtype=bad)


def test_tensors_of_any_shape_and_type(torch):
    for shape in ((), (0,), (3, 0), (2, 3, 4, 5)):
        t = torch.zeros(shape)
        assert (ours.sigmoid(t) == 0.5).all()
        assert ours.sigmoid(t).shape == shape
        assert ours.relu(t, inplace=True) is t
    assert ours.sigmoid(torch.arange(3)).dtype == torch.float64
    assert ours.sigmoid(torch.zeros(3, dtype=torch.half)).dtype == torch.half
    assert type(ours.relu(torch.nn.Parameter(torch.ones(2), requires_grad=False))) is torch.Tensor


# --- modules ------------------------------------------------------------------------------------------------------


@by_module
def test_module(name, values):
    module, function = getattr(ours, name)(*values), getattr(ours, CLASSES[name])
    names = [n for n, _ in arguments(function, without=("input", "dtype"))]
    named = dict(zip(names, values, strict=False))
    assert list(module.__dict__) == names
    assert named.items() <= module.__dict__.items()
    for other in (getattr(ours, name)(**named), eval(repr(module), vars(ours))):
        assert (other, hash(other), repr(other)) == (module, hash(module), repr(module))
    for x in (scores(), scores(np.float32)):
        same(module(x), function(x, *values))
        same(module.forward(x), function(x, *values))
    copies = [pickle.loads(pickle.dumps(module)), copy.copy(module), copy.deepcopy(module)]
    for other in copies:
        assert type(other) is type(module)
        assert (other, hash(other), repr(other)) == (module, hash(module), repr(module))
        same(other(scores()), module(scores()))


@by_module
def test_module_inplace(name, values):
    if (CLASSES[name], values) not in INPLACE:
        with pytest.raises(TypeError, match=rf"^{name}\(.*'inplace'"):
            getattr(ours, name)(*values, inplace=True)
        return
    module, x = getattr(ours, name)(*values, inplace=True), scores()
    assert module(x) is x
    same(x, getattr(ours, name)(*values)(scores()))
    assert module != getattr(ours, name)(*values)
    assert eval(repr(module), vars(ours)) == module


@by_dtype
@by_module
def test_module_of_a_tensor(torch, name, values, dtype):
    t = torch.from_numpy(scores(dtype))
    got, want = getattr(ours, name)(*values), getattr(torch.nn, name)(*values)
    close(torch, got(t), want(t))
    assert repr(got) == repr(want)


def test_modules_differ():
    modules = [getattr(ours, name)(*values) for name, values in MODULES]
    modules += [ours.PReLU(), ours.PReLU(3), ours.PReLU(init=0.5)]
    assert len(set(modules)) == len(modules)
    for k, module in enumerate(modules):
        assert module not in modules[:k]
        assert module not in (None, repr(module), type(module))


def test_prelu_module(torch):
    module = ours.PReLU(6, 0.5)
    assert repr(module) == repr(torch.nn.PReLU(6, 0.5))
    for dtype in (np.float16, *DTYPES):
        x = scores(dtype)
        same(module(x), np.where(x > 0, x, x * dtype(0.5)))
    for other in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module), ours.PReLU(6, 0.5)):
        assert other == module
        assert hash(other) == hash(module)
    other.weight[0] = 0
    assert other != module


@pytest.mark.parametrize("name", CLASSES)
def test_wrong_arguments(name):
    """The error says of which class, and what it takes."""
    values = FUNCTIONS[CLASSES[name]][1][0]
    count = len(arguments(getattr(ours, name)))
    for given, options in ((values, {"no_such": 1}), ((1,) * (count + 1), {})):
        with pytest.raises(TypeError, match=rf"^{name}\("):
            getattr(ours, name)(*given, **options)
    if name == "Threshold":
        with pytest.raises(TypeError, match=r"^Threshold\(.*'value'"):
            getattr(ours, name)(0.5)


def test_parameter_of_an_estimator():
    base = pytest.importorskip("sklearn.base")

    class Estimator(base.BaseEstimator):
        def __init__(self, activation=None):
            self.activation = activation

    for module in [getattr(ours, name)(*values) for name, values in MODULES] + [ours.PReLU(3)]:
        assert base.clone(Estimator(module)).activation == module
