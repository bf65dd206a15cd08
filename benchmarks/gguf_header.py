"""How long it takes to read a model's header: ours against the library's reader, on the demo's 98 MB file."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gguf

from runner.gguf import read_model
from runner.moe import demo_models

REPEATS = 5


def best_s(action: Callable[[], object]) -> float:
    """Return the shortest of a few runs, in seconds: what the work itself takes."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    """Print one line for each reader."""
    with tempfile.TemporaryDirectory() as folder:
        model = demo_models(Path(folder)).judge
        print(f"runner.gguf.read_model  {best_s(lambda: read_model(model)):7.3f} s")
        print(f"gguf.GGUFReader         {best_s(lambda: gguf.GGUFReader(model)):7.3f} s")


if __name__ == "__main__":
    main()
