"""Softmax and the activation functions of neural networks on NumPy arrays: fast, accurate, reproducible."""

from fastact._config import __version__, show_config
from fastact._core import available_isas, isa, set_isa
from fastact._softmax import log_softmax, log_softmax_backward, logsumexp, softmax, softmax_backward
from fastact._threads import get_num_threads, set_num_threads, threads

__all__ = [
    "__version__",
    "available_isas",
    "get_num_threads",
    "isa",
    "log_softmax",
    "log_softmax_backward",
    "logsumexp",
    "set_isa",
    "set_num_threads",
    "show_config",
    "softmax",
    "softmax_backward",
    "threads",
]
