"""What users get: the wheel, with its data, away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
import judge
from judge.judge_prompts import load_judge_prompts
from judge.library import load_models, load_suite
from judge.store import Store
assert judge.__file__.startswith(sys.argv[1]), judge.__file__
print(len(load_suite().questions), len(load_models().entries) > 5, sorted(load_judge_prompts().templates))
Store.open(sys.argv[1] + "/new.db").close()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        out,
        ROOT,
    ]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("coder_judge-*.whl"))


def test_the_wheel_carries_its_types_schemas_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "judge/py.typed", "runner/py.typed", "judge/_data/models.yaml", "judge/_data/rubrics/coder.yaml",
        "judge/_data/rubrics/schemas/summary.json", "judge/_data/prompts/judge/system.md",
        "judge/migrations/versions/0001_first_tables.py", "judge/report/templates/report.html.j2",
        "judge/report/templates/report.css",
    ):  # fmt: skip
        assert wanted in names


def test_the_installed_wheel_finds_its_own_questions_and_can_make_a_store(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    prompts = sorted(file.stem for file in (ROOT / "prompts" / "judge").glob("*.md"))
    assert done.stdout.strip() == f"10 True {prompts}"
