"""ONNX's published tests of its operators, run on fastact's public functions."""

import numpy as np
import pytest

import fastact

onnx = pytest.importorskip("onnx")
loader = pytest.importorskip("onnx.backend.test.loader")


def _selu(x, alpha, gamma):
    """ONNX lets both constants be chosen; its defaults are those of the paper, which are ours."""
    standard = _defaults("Selu", onnx.defs.onnx_opset_version())
    return fastact.selu(x) if standard == {"alpha": alpha, "gamma": gamma} else gamma * fastact.elu(x, alpha)


def _swiglu(a, b, alpha):
    return fastact.swiglu(np.concatenate([a, b], -1)) if alpha == 1 else fastact.swish(a, alpha) * b


def _logsumexp(x, axes=(), *, keepdims, noop_with_empty_axes):
    """No axes mean all of them, or none."""
    axis = tuple(map(int, axes))
    return fastact.logsumexp(x, axis if axis or noop_with_empty_axes else None, keepdims=bool(keepdims))


#: The operator as a function of its inputs and of all its attributes.
OPERATORS = {
    "Celu": fastact.celu,
    "Elu": fastact.elu,
    "Gelu": fastact.gelu,
    "HardSigmoid": fastact.hard_sigmoid,
    "HardSwish": fastact.hard_swish,
    "Hardmax": fastact.hardmax,
    "LeakyRelu": lambda x, alpha: fastact.leaky_relu(x, alpha),
    "LogSoftmax": fastact.log_softmax,
    "Mish": fastact.mish,
    "PRelu": fastact.prelu,
    "ReduceLogSumExp": _logsumexp,
    "Relu": fastact.relu,
    "Selu": _selu,
    "Sigmoid": fastact.sigmoid,
    "Softmax": fastact.softmax,
    "Softplus": fastact.softplus,
    "Softsign": fastact.softsign,
    "SwiGLU": _swiglu,
    "Swish": lambda x, alpha: fastact.swish(x, alpha),
    "Tanh": fastact.tanh,
    "ThresholdedRelu": lambda x, alpha: fastact.threshold(x, alpha, 0),
}
#: The operator set that brought an operator, where it is later than that of the oldest onnx which the tests accept.
SINCE = {"Swish": 24, "SwiGLU": 28}
SUPPORTED = ("float16", "float32", "float64")


def _defaults(operator, opset):
    """The values of the attributes that a node need not give."""
    given = {n: attribute.default_value for n, attribute in onnx.defs.get_schema(operator, opset).attributes.items()}
    return {n: onnx.helper.get_attribute_value(value) for n, value in given.items() if value.name}


def _attributes(case):
    (node,) = case.model.graph.node
    (opset,) = (s.version for s in case.model.opset_import if s.domain == node.domain)
    values = _defaults(node.op_type, opset) | {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return {n: value.decode() if isinstance(value, bytes) else value for n, value in values.items()}


def _operator(case):
    return case.model.graph.node[0].op_type


def _type(case):
    """The name of the first input's type."""
    return case.data_sets[0][0][0].dtype.name


def _load():
    """The cases of the operators above; an "_expanded" one is a model of an operator in terms of others."""
    # onnx computes inputs and results of all operators when it loads them, infinite ones among them.
    with np.errstate(all="ignore"):
        cases = loader.load_node_model_tests()
    return {c.name: c for c in cases if "_expanded" not in c.name and c.model and _operator(c) in OPERATORS}


CASES = _load()


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    case = CASES[name]
    f, attributes = OPERATORS[_operator(case)], _attributes(case)
    assert case.data_sets
    for inputs, outputs in case.data_sets:
        if _type(case) not in SUPPORTED:
            with pytest.raises(TypeError, match=rf"^x .*{_type(case)}"):
                f(*inputs, **attributes)
            pytest.skip(f"fastact has no {_type(case)}")
        (want,) = outputs
        got = np.asarray(f(*inputs, **attributes))
        facts = f"{_operator(case)} {attributes} of {', '.join(f'{a.dtype} {a.shape}' for a in inputs)}"
        assert (got.dtype, got.shape) == (want.dtype, want.shape), facts
        np.testing.assert_allclose(got, want, case.rtol, case.atol, err_msg=facts)


def test_every_operator_has_a_case():
    """Nothing of the table goes untested because onnx calls it, or its cases, by another name."""
    opset = onnx.defs.onnx_opset_version()
    needed = {operator for operator in OPERATORS if SINCE.get(operator, 0) <= opset}
    assert {_operator(case) for case in CASES.values() if _type(case) in SUPPORTED} == needed
