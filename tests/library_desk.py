"""A small library in a folder of its own, for tests that edit its files and read what is said of them."""

from pathlib import Path

import pytest

from judge.library import check_all

QUESTIONS = """\
version: 1
suite: small
questions:
  - id: Q1
    test: q1_sum
    tier: T1
    title: Sum
    prompt: Add two numbers.
  - id: Q2
    test: q2_sort
    tier: T2
    title: Sort
    prompt: |-
      Sort a list.
      In place.
"""

RUBRICS = """\
version: 1
suite: small
scale:
  - {scores: [1, 2], text: Broken}
  - {scores: [3, 4], text: Works}
  - {scores: [5], text: Clean}
tiers:
  - {id: T1, name: Easy}
  - {id: T2, name: Hard}
roles:
  - id: worker
    targets: {T1: 4-5, T2: 3}
    thresholds: {T1: 4.0}
  - id: expert
    thresholds:
      T2: 4.5
questions:
  Q1:
    expected: The sum.
    criteria:
      - {id: logic, name: Logic, weight: 60}
      - {id: style, name: Style, weight: 40}
  Q2:
    expected: A sorted list.
    criteria:
      - {id: logic, name: Logic, weight: 100}
"""

MODELS = """\
version: 1
architectures:
  dense: [baseline]
  qwen3moe: [baseline, moe4]
models:
  small:
    model: Small-7B
    status: ready
    role: worker
    path: ${MODELS}/small.gguf
    arch: dense
    family: qwen
    expected_tps: {baseline: 9.5}
  large:
    model: Large-30B
    status: candidate
    arch: qwen3moe
    configs: [baseline, moe2]
    n_ctx: 4096
    sampling:
      temperature: 0
"""

QUESTIONS_FILE, RUBRICS_FILE = "prompts/questions/coder.yaml", "rubrics/coder.yaml"
FILES = {
    QUESTIONS_FILE: QUESTIONS,
    "prompts/judge/user.md": "Judge $answer for $$5.",
    RUBRICS_FILE: RUBRICS,
    "models.yaml": MODELS,
}
Mistake = tuple[str, str, str, list[str]]
"""A file, what stood there, what someone typed instead, and what they read."""


class Desk:
    """A working folder with a small library in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """Write one of its files."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace what stands once in one of its files."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} must stand once in {name}"
        self.write(name, text.replace(old, new))

    def problems(self) -> list[str]:
        """Return what is said of all of it, a line a problem."""
        found, _ = check_all(self.folder / "models.yaml", self.folder / "prompts", self.folder / "rubrics")
        return [str(problem) for problem in found]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The library in the folder that the test works in."""
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


def mistakes(table: dict[str, Mistake]) -> pytest.MarkDecorator:
    """One test a mistake, called by its name: it is given ``file``, ``old``, ``new`` and ``problems``."""
    return pytest.mark.parametrize(("file", "old", "new", "problems"), table.values(), ids=table)
