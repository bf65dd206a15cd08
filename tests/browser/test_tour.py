"""The pictures of the tour, taken as ``make tour`` takes them."""

import subprocess
import sys
from pathlib import Path

import pytest
from chromium import NONE, find_chromium, is_expected
from PIL import Image
from visits import Place

TOUR = Path(__file__).parent.parent / "tour.py"
LARGEST_BYTES = 150_000
pytestmark = pytest.mark.skipif(find_chromium() is None and not is_expected(), reason=NONE)
NAMES = {"runs", "run", "answer", "arms", "review", "revealed", "labels"}
"""Of the pictures of a run whose models are elsewhere: nothing can be started, so there is no job."""


def tour(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, TOUR, *args], capture_output=True, text=True, timeout=600)


def test_a_tour_has_small_pictures_and_leaves_the_results_as_they_are(reviewed: Place, tmp_path: Path) -> None:
    done = tour(reviewed.folder / "results", tmp_path / "tour")
    assert done.returncode == 0, done.stderr
    assert "no picture of a job" in done.stderr
    pictures = {file.stem: file for file in (tmp_path / "tour").iterdir()}
    assert set(pictures) == NAMES
    assert max(file.stat().st_size for file in pictures.values()) < LARGEST_BYTES
    for name, file in pictures.items():
        with Image.open(file) as picture:
            assert picture.size == (1280, 800) and len(picture.getcolors() or ()) > 3, name
    assert reviewed.ratings() == []


def test_without_results_a_tour_says_what_to_name(tmp_path: Path) -> None:
    done = tour(tmp_path, tmp_path / "tour")
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no ") and "name a folder with the results of a run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
