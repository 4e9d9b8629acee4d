from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from typing_extensions import disjoint_base

ufuncs: dict[str, np.ufunc]
masked_ufuncs: dict[str, np.ufunc]
error_bounds: dict[str, float]
activations: dict[str, dict[str, Any]]
gated_pairs: dict[str, dict[str, Any]]
elementwise_ufuncs: dict[str, np.ufunc]

def available_isas() -> tuple[str, ...]: ...
def isa() -> str: ...
def set_isa(name: str) -> None: ...
def compiler() -> str: ...
def openmp_version() -> int: ...
def _set_process_threads(count: int) -> None: ...
def _set_cache_bytes(count: float) -> None: ...
def _get_threads() -> tuple[int, int]: ...
def _set_thread_limit(count: int) -> None: ...

@disjoint_base
class Call:
    name: str
    parameters: Mapping[str, Any]
    _forward: Callable[..., Any]
    _backward: Callable[..., Any]
    _needs: str | None
    _arguments: tuple[Any, ...]
    def __init__(
        self,
        name: str,
        parameters: Mapping[str, Any],
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        needs: str | None,
    ) -> None: ...
    def __call__(self, x: Any, out: Any = None) -> Any: ...
    def backward(self, grad: Any, x: Any = None, y: Any = None, out: Any = None) -> Any: ...
