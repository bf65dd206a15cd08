"""numpy and scipy, imported when a figure first needs them: a command that draws no figure ends before they would be loaded.

A decision. numpy takes a tenth of a second and 20 MB, scipy as much again, and most of what is imported from this package are values
(an interval, an outcome) that need neither. Imports inside every function would say so forty times. Guarded by
tests/test_start_cost.py, and ruff lets nothing else in judge/ import them.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import special, stats

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Index = NDArray[np.intp]
    Bytes = NDArray[np.uint8]

__all__ = ["np", "special", "stats"]

THREADS = "OPENBLAS_NUM_THREADS"
_loading = threading.Lock()


class _Deferred:
    """Stands for a module. What was asked for once is an attribute of this, so the arithmetic pays nothing."""

    def __init__(self, name: str) -> None:
        self._module_name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(_loaded(self._module_name), name)
        setattr(self, name, found)
        return found


def _loaded(name: str) -> ModuleType:
    """Return a module. The BLAS that it brings starts no threads, unless the user said how many.

    The products here are small; threads that wait for larger ones burn the time of whatever is served beside us, and one thread adds
    up in one order. The setting is read when the module is loaded, and is none of the servers that we start.
    """
    with _loading:
        if name in sys.modules or THREADS in os.environ:
            return importlib.import_module(name)
        os.environ[THREADS] = "1"
        try:
            return importlib.import_module(name)
        finally:
            del os.environ[THREADS]


if not TYPE_CHECKING:
    np, special, stats = map(_Deferred, ("numpy", "scipy.special", "scipy.stats"))
