"""The first file that runs inside: makes the bundle importable as the package ``inside``, then serves.

There are no files of ours inside: the start command reads the bundle from a descriptor and calls ``start``.
"""

from __future__ import annotations

import marshal
import sys

TYPE_CHECKING = False  # not imported: see the package
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

PACKAGE = "inside"


class Bundle:
    """Finds and loads the modules of the package. Imports are the interpreter's own from then on."""

    def __init__(self, codes: dict[str, bytes]) -> None:
        self._codes = {PACKAGE if name == "__init__" else f"{PACKAGE}.{name}": code for name, code in codes.items()}

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        """Return how to load a module of ours, ``None`` for any other."""
        if name not in self._codes:
            return None
        spec: Any = type(sys.__spec__)  # ModuleSpec, without importing importlib
        return spec(name, self, is_package=name == PACKAGE)

    def create_module(self, _spec: Any) -> None:
        """Return ``None``: an ordinary module will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its code."""
        exec(marshal.loads(self._codes[module.__name__]), vars(module))

    def hide(self) -> None:
        """Take the package and this finder out of sight; the modules live on in what refers to them."""
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def start(codes: dict[str, bytes], requests_fd: int, replies_fd: int) -> None:
    """Serve requests until the pipe is closed."""
    bundle = Bundle(codes)
    sys.meta_path.insert(0, bundle)
    from inside.server import main  # type: ignore[import-not-found]

    main(requests_fd, replies_fd, bundle.hide)
