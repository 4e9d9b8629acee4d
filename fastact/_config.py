"""What this build is and what it runs on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from fastact import _core, _threads

__version__ = "0.1.0"


def last_level_cache() -> int:
    """Bytes of the processor's last-level cache; 32 MiB where the system does not say."""
    try:
        caches = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")
        size = max((Path(cache, "level").read_text(), Path(cache, "size").read_text()) for cache in caches)[1].strip()
        return int(size.removesuffix("K")) * 1024
    except (OSError, ValueError):
        return 32 << 20


def config() -> dict[str, Any]:
    """The facts that `show_config` prints, by name."""
    openmp = _core.openmp_version()
    return {
        "fastact": __version__,
        "instruction set": _core.isa(),
        "available instruction sets": list(_core.available_isas()),
        "OpenMP": f"{openmp // 100}-{openmp % 100:02d}" if openmp else "none: this build uses one thread",
        "compiler": _core.compiler(),
        "threads": _threads.get_num_threads() if openmp else 1,
        "processors": _threads.processors(),
        "last-level cache": f"{last_level_cache() >> 10} KiB",
        "NumPy": np.__version__,
        "Python": platform.python_version(),
        "platform": platform.platform(),
    }


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print the build's and the machine's facts that matter for speed and bits.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default: "stdout"
        Print, or return a dictionary, as `numpy.show_config` does.

    Returns
    -------
    dict or None
        The facts by name, in mode "dicts".

    Examples
    --------
    >>> import fastact
    >>> fastact.show_config(mode="dicts")["instruction set"] == fastact.isa()
    True
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', got {mode!r}")
    facts = config()
    if mode == "dicts":
        return facts
    width = max(map(len, facts))
    for name, fact in facts.items():
        print(f"{name:<{width}}  {', '.join(fact) if isinstance(fact, list) else fact}")
    return None


_core._set_cache_bytes(last_level_cache())

_wanted = os.environ.get("FASTACT_ISA")
if _wanted:
    if _wanted not in _core.available_isas():
        raise ImportError(
            f"the environment variable FASTACT_ISA names {_wanted!r}; "
            f"this build on this processor has {', '.join(_core.available_isas())}"
        )
    _core.set_isa(_wanted)
