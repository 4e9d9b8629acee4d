"""What the facade may ask of the core."""

cdef extern from "fastact/rows.h":
    int FASTACT_softmax
    int FASTACT_log_softmax
    int FASTACT_logsumexp
    int FASTACT_softmax_backward
    int FASTACT_log_softmax_backward

cdef extern from "fastact/activations.h":
    int FASTACT_sigmoid
    int FASTACT_sigmoid_backward
    int FASTACT_tanh
    int FASTACT_tanh_backward
    int FASTACT_relu
    int FASTACT_relu_backward
    int FASTACT_leaky_relu
    int FASTACT_leaky_relu_backward
    int FASTACT_prelu
    int FASTACT_prelu_backward
    int FASTACT_elu
    int FASTACT_elu_backward
    int FASTACT_selu
    int FASTACT_selu_backward
    int FASTACT_celu
    int FASTACT_celu_backward
    int FASTACT_silu
    int FASTACT_silu_backward
    int FASTACT_swish
    int FASTACT_swish_backward
    int FASTACT_softplus
    int FASTACT_softplus_backward
    int FASTACT_softsign
    int FASTACT_softsign_backward
    int FASTACT_gelu
    int FASTACT_gelu_backward
    int FASTACT_gelu_tanh
    int FASTACT_gelu_tanh_backward
    int FASTACT_log_sigmoid
    int FASTACT_log_sigmoid_backward
    int FASTACT_mish
    int FASTACT_mish_backward
    int FASTACT_relu6
    int FASTACT_relu6_backward
    int FASTACT_hard_tanh
    int FASTACT_hard_tanh_backward
    int FASTACT_hard_sigmoid
    int FASTACT_hard_sigmoid_backward
    int FASTACT_hard_swish
    int FASTACT_hard_swish_backward
    int FASTACT_threshold
    int FASTACT_threshold_backward

cdef object plain(int function, object x, object second, object axis, object out)
cdef object elementwise(int function, object a, object b, object p, object q, object out, object where, object dtype)
