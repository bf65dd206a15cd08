"""Where things are kept: the store, the folder of results, the models file."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from judge.store import Store
from runner.types import Value

if TYPE_CHECKING:
    from judge.files import Models


class Places(Value):
    """Where things are kept; the same for every command."""

    store: str | None = None
    """Path or URL; ``None``: ``judge.db`` in the results folder."""
    results: Path = Path("results")
    models: Path | None = None
    """``None``: the models.yaml that ships with the product."""

    def open_store(self) -> Store:
        """Open the store, creating it when there is none."""
        return Store.open(self.store or self.results / "judge.db")

    def load_models(self) -> "Models":
        """Read models.yaml."""
        # Imported here: to score what is stored at an endpoint, no YAML is read.
        from judge.library import load_models

        return load_models(self.models)


def run_folder(places: Places, run_id: str) -> Path:
    """Return where the run leaves its files."""
    return places.results / run_id


def free_gib(path: Path) -> float:
    """Return the free space in GiB of the disk that holds ``path`` (or its nearest existing parent)."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30
