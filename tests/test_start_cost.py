"""What scoring one stored answer imports: what a judge at an endpoint does not need costs every command that asks one."""

import json
import os
import subprocess
import sys
from pathlib import Path

from fakes import ScriptedJudge, lenient, serving

from judge.importing import import_source
from judge.places import Places

NEEDLESS = (
    "openai", "httpx", "httpx2", "tenacity", "llama_cpp", "gguf", "alembic", "markdown_it", "rich.progress",
    "scipy", "pandas", "matplotlib", "evalica", "fastapi", "starlette", "uvicorn", "pygments",
    "judge.exam.paper", "judge.checks.evidence", "judge.extract.answer", "judge.library", "yaml", "numpy",
    "runner.latecomers",
)  # fmt: skip
PROGRAM = f"""
import sys
from judge.cli import main
try:
    main()
finally:
    print(sorted(set({NEEDLESS!r}) & set(sys.modules)))
"""
ANSWER = "def solve(value):\n    total = 0\n    return total + value\n\nIt is linear in `value`, and it refuses nothing at all."


def test_scoring_a_stored_answer_at_an_endpoint_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    line = {"model": "m1", "question_id": "C-T1-Q1", "sample": 0, "answer": ANSWER}
    (tmp_path / "answers.jsonl").write_text(json.dumps(line) + "\n")
    import_source(
        Places(results=tmp_path / "results"), tmp_path / "answers.jsonl", ("judge", "import", "answers.jsonl")
    )
    with serving(ScriptedJudge(lenient)) as server:
        named = ["--judge-url", server.base_url, "--judge-model", "m", "--judge-family", "none", "--no-exam"]
        command = [sys.executable, "-c", PROGRAM, "score", "latest", *named]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "scored: 1" in done.stdout, done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_arithmetic_starts_no_threads_and_leaves_the_environment_as_it_was() -> None:
    program = """
import os
from judge.stats.estimators import due_look
from judge.stats.exam_stats import jeffreys_rate
from judge.stats.intervals import tier_interval
before = dict(os.environ)
tier_interval([[4.0, 5.0]], 4.0), jeffreys_rate(3, 4)
print(len(os.listdir("/proc/self/task")), dict(os.environ) == before)
"""
    kept = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=kept, check=True)
    assert done.stdout.split() == ["1", "True"]
