"""When Python looks for garbage: hardly while a command starts, often and cheaply while it works.

What is imported and read at the start stays until the end. To look through it at every 700 objects, as Python does by itself, takes a
twelfth of the time of a short command; to look rarely all the night long would leave tens of megabytes of garbage lying about.
"""

import atexit
import gc

_AT_START = 200_000
_AT_WORK = 5_000
"""Objects that were made, less those that were freed, between two looks."""


def begin_late() -> None:
    """Look rarely from here on, and not once more at the end, where it takes a fifth of the time of a short command."""
    gc.set_threshold(_AT_START)
    atexit.register(gc.freeze)


def settle() -> None:
    """Look often from here on, but never again through what is there now."""
    gc.freeze()
    gc.set_threshold(_AT_WORK)
