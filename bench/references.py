"""The references of the tests, for the benchmarks and the accuracy report: they judge by the same numbers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from activation_reference import ulps
from activation_registry import CALLS
from proof import samples

__all__ = ["CALLS", "samples", "ulps"]
