"""numpy, imported when a figure first needs it: a command that draws no figure ends before numpy would be loaded.

A decision. numpy takes a tenth of a second and 20 MB, and most of what is imported from this package are values (an interval, an
outcome) that need none of it. Imports inside every function would say so forty times. Guarded by tests/test_start_cost.py.
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

    Array = NDArray[np.float64]
    Places = NDArray[np.int64]
    Index = NDArray[np.intp]
    Bytes = NDArray[np.uint8]

__all__ = ["np"]

THREADS = "OPENBLAS_NUM_THREADS"
_loading = threading.Lock()


class _Numpy:
    """Stands for the module. What was asked for once is an attribute of this, so the arithmetic pays nothing."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(_loaded(), name)
        setattr(self, name, found)
        return found


def _loaded() -> ModuleType:
    """Return numpy. The BLAS that it brings starts no threads, unless the user said how many.

    The products here are small; threads that wait for larger ones burn the time of whatever is served beside us, and one thread adds
    up in one order. The setting is read when numpy is loaded, and is none of the servers that we start.
    """
    with _loading:
        if "numpy" in sys.modules or THREADS in os.environ:
            return importlib.import_module("numpy")
        os.environ[THREADS] = "1"
        try:
            return importlib.import_module("numpy")
        finally:
            del os.environ[THREADS]


if not TYPE_CHECKING:
    np = _Numpy()
