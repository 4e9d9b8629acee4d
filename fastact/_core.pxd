"""What the facade may ask of the core."""

cdef extern from "fastact/rows.h":
    int FASTACT_softmax
    int FASTACT_log_softmax
    int FASTACT_logsumexp
    int FASTACT_softmax_backward
    int FASTACT_log_softmax_backward

cdef object plain(int function, object x, object second, object axis, object out)
