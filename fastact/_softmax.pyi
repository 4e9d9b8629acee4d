from typing import Any, SupportsIndex

from numpy.typing import ArrayLike, DTypeLike, NDArray

_Axis = SupportsIndex | tuple[SupportsIndex, ...] | None

def softmax(
    x: ArrayLike,
    axis: _Axis = -1,
    *,
    where: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
def log_softmax(
    x: ArrayLike,
    axis: _Axis = -1,
    *,
    where: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
def logsumexp(
    x: ArrayLike,
    axis: _Axis = None,
    *,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    out: NDArray[Any] | None = None,
    dtype: DTypeLike | None = None,
) -> Any: ...
def softmax_backward(grad: ArrayLike, y: ArrayLike, axis: _Axis = -1, *, out: NDArray[Any] | None = None) -> Any: ...
def log_softmax_backward(
    grad: ArrayLike, y: ArrayLike, axis: _Axis = -1, *, out: NDArray[Any] | None = None
) -> Any: ...
