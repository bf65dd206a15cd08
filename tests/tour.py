"""Takes the pictures of the README's tour: what a browser shows of the newest run of a results folder.

    .venv/bin/python tests/tour.py results/demo docs/tour

What is rated and started for the pictures is so in a copy; the results stay as they are.
"""

import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chromium import NONE, find_chromium, launched
from job_service import environment, places, served
from PIL import Image
from playwright.sync_api import Page
from visits import go

from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.review.desk import make_queues

WIDTH, HEIGHT = 1280, 800
COLOURS = 64
"""Of a picture: text and plots need no more, and it takes a third of the space."""
PATIENCE_MS = 600_000
"""A model on a small machine takes its time."""
KEPT = ("JUDGE_DEMO_DIR", "JUDGE_MODELS", "JUDGE_MODELS_DIR")
"""Where the models of a reader are."""
MOVED = "() => document.querySelector('progress').value >= 1 || !document.querySelector('[data-live=ended]').hidden"
"""A job has done something, or has ended."""


def main(results: Path, folder: Path) -> None:
    """Take the pictures of a results folder and keep them in another."""
    executable = find_chromium()
    if executable is None:
        sys.exit(f"error: {NONE}")
    if not (results / "judge.db").is_file():
        sys.exit(
            f"error: there is no {results / 'judge.db'}: name a folder with the results of a run, as make demo leaves one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    models = {name: os.environ[name] for name in KEPT if name in os.environ}
    with tempfile.TemporaryDirectory() as copy:
        run = copied(results, Path(copy))
        with served(Path(copy), env=environment(**models)) as service, launched(executable) as browser:
            page = browser.new_page(base_url=service.address, viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(PATIENCE_MS)
            for name in sights(page, run):
                file = folder / f"{name}.png"
                file.write_bytes(small(page.screenshot()))
                sys.stderr.write(f"{file}: {file.stat().st_size / 1000:.0f} kB\n")


def copied(results: Path, copy: Path) -> RunRecord:
    """Copy the store of a folder, queue the newest run in the copy for review, and return that run."""
    (copy / "results").mkdir()
    # The locks of runs that are at work lie in a folder beside it.
    for file in filter(Path.is_file, results.glob("judge.db*")):
        shutil.copy(file, copy / "results" / file.name)
    store = places(copy).open_store()
    run, _ = store.run(store.run_ids()[0])
    make_queues(run, store, per_arm=15, seed=1)
    store.close()
    return run


def sights(page: Page, run: RunRecord) -> Iterator[str]:
    """Go from page to page, and yield the name of each as it is to be shown."""
    here = f"/runs/{run.id}"
    yield from visited(page, {"runs": "/runs", "run": here, "answer": f"{here}/answers/{answer_with_code(page, run)}"})
    if len(run.arms) > 1:
        left, right = (record.arm.fingerprint for record in run.arms[:2])
        yield from visited(page, {"arms": f"{here}/arms?left={left}&right={right}"})
    yield from reviewed(page)
    yield from visited(page, {"labels": f"{here}/labels"})
    yield from followed(page, run)


def visited(page: Page, paths: dict[str, str]) -> Iterator[str]:
    """Yield the name of each page once it is open."""
    for name, path in paths.items():
        go(page, path)
        yield name


def answer_with_code(page: Page, run: RunRecord) -> str:
    """Return the id of the first answer in which code was found; of the first of all, when there is none."""
    keys = [unit.key for record in run.arms for unit in wanted_answers(run, record)]
    for key in keys:
        page.goto(f"/runs/{run.id}/answers/{key}")
        if page.locator("pre.code").count():
            return key
    return keys[0]


def reviewed(page: Page) -> Iterator[str]:
    """Review one item: as it is before one's own rating, and after it."""
    page.goto("/review")
    if not page.get_by_label("Your name").count():
        return  # nothing was scored, so there is nothing to rate
    page.get_by_label("Your name").fill("reader")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(re.compile("/review/items/"))
    page.get_by_role("radio").nth(2).check()
    page.get_by_label("Comment").fill("Works, but an empty input is not thought of.")
    yield "review"
    page.get_by_role("button", name="Save the rating").click()
    page.wait_for_url(re.compile("/revealed$"))
    yield "revealed"


def followed(page: Page, run: RunRecord) -> Iterator[str]:
    """Start a run of the same candidate with another seed, and show it once it has done something."""
    page.goto("/start")
    candidate = page.locator(f"input[name=candidates][value='{run.arms[0].entry.id}']")
    if not candidate.count():
        sys.stderr.write(
            f"no picture of a job: no file of the model {run.arms[0].entry.id} was found on this machine\n"
        )
        return
    candidate.check()
    page.get_by_label("Configs").fill(run.arms[0].arm.config.name)
    page.get_by_label("Who scores").select_option("none")
    page.get_by_text("Serving and time").click()
    page.get_by_label("Seed of the first answer").fill("4711")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url(re.compile("/jobs/"))
    page.wait_for_function(MOVED)
    yield "job"
    if page.get_by_role("button", name="Cancel this job").count():
        page.get_by_role("button", name="Cancel this job").click()
    page.get_by_text("It has ended.").wait_for()


def small(png: bytes) -> bytes:
    """Return a picture with few colours."""
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        file, "PNG", optimize=True
    )
    return file.getvalue()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python tests/tour.py RESULTS FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
