"""scikit-learn's softmax helper: its signature, on fastact's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastact

__all__ = ["softmax"]


def softmax(X: Any, copy: bool = True) -> Any:
    """Softmax of each row, as `sklearn.utils.extmath.softmax`.

    Parameters
    ----------
    X : array_like of shape (n_samples, n_classes)
        Decision function values.
    copy : bool, default: True
        Whether to leave X as it is; if not, X must be an array of floats, and holds the result too.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Probabilities; X itself without ``copy``.

    Raises
    ------
    TypeError
        Without ``copy``, if X is not an array of floats.
    ValueError
        If X does not have two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from fastact.compat.sklearn import softmax
    >>> softmax(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    if np.ndim(X) != 2:
        raise ValueError(f"X must have shape (n_samples, n_classes), got {np.ndim(X)} dimensions")
    if copy:
        return fastact.softmax(X, 1)
    if not isinstance(X, np.ndarray):
        raise TypeError(f"X must be an ndarray where copy is False, got {type(X).__name__}")
    return fastact.softmax(X, 1, out=X)
