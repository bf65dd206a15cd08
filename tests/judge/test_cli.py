"""What a user reads: help, exit codes, and one clear line for every mistake."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Run, command

from judge.commands.directory import MODULES, commands_of

ROOT = Path(__file__).parents[2]
HEAVY = ("openai", "sqlalchemy", "numpy", "gguf", "alembic", "yaml", "llama_cpp", "matplotlib")


def commands() -> list[str]:
    return sorted(name for names in MODULES.values() for name in names)


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_and_stands_in_the_readme(judge: Run, tmp_path: Path, name: str) -> None:
    done = judge(name, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert f"judge {name}" in (ROOT / "README.md").read_text(), f"the README shows no judge {name}"


@pytest.mark.parametrize("module", MODULES)
def test_the_directory_names_the_commands_that_a_module_has(module: str) -> None:
    assert tuple(commands_of(module)) == MODULES[module]


def test_every_module_of_commands_is_in_the_directory() -> None:
    sources = (ROOT / "judge" / "commands").glob("*.py")
    assert {source.stem for source in sources if "app = commands()" in source.read_text()} == set(MODULES)


def test_a_command_that_is_not_there_is_refused_with_those_that_sound_like_it(judge: Run, tmp_path: Path) -> None:
    done = judge("scoer", cwd=tmp_path)
    assert done.returncode == 2 and "No such command 'scoer'. Did you mean 'score'" in done.stderr


def test_a_command_is_built_without_those_of_other_modules(tmp_path: Path) -> None:
    program = (
        "import sys, judge.cli\njudge.cli.app(['list'], standalone_mode=False)\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    found = {name for name in done.stderr.split() if name.startswith("judge.commands.") and name.count(".") == 2}
    assert found == {f"judge.commands.{name}" for name in ("directory", "looking", "options", "shared")}


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nimport judge.cli\n"
        "try:\n    judge.cli.app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("run",), "error: no candidate was named; use --candidate NAME (see judge models)"),
        (("run", "-c", "coder_primry"), "model 'coder_primry' is not in models.yaml: did you mean coder_primary"),
        (("run", "-c", "coder_primary"), "error: coder_primary: no model file: JUDGE_MODELS_DIR is not set"),
        (("run", "-c", "demo_moe"), "no judge was named, and architect_coding has no model file"),
        (("run", "-c", "demo_moe", "--judge", "demo_moe"), "demo_moe would judge its own answers (demo_moe/baseline)"),
        (("collect", "-c", "demo_moe", "--configs", "moe9"), "has 4; use moe1 to moe4"),
        (("collect", "-c", "demo_moe", "--configs", "fast"), "config 'fast' is not known: use baseline, moeN"),
        (("collect", "-c", "demo_judge", "--configs", "moe2"), "is a dense llama model without experts; use baseline"),
        (("collect", "-c", "demo_moe", "--questions", "C-T9-Q1"), "unknown question 'C-T9-Q1'; use one of C-T1-Q1,"),
        (("collect", "-c", "demo_moe", "--tier", "T9"), "unknown tier 'T9'; use one of T1, T2, T3"),
        (("collect", "-c", "demo_moe", "--n-ctx", "99999"), "the model was trained for 8192; lower n_ctx"),
        (("collect", "--model", "nowhere.gguf", "--name", "x"), "nowhere.gguf"),
        (("collect", "--name", "x"), "--name x needs --model"),
        (("run", "-c", "demo_moe", "--judge-url", "http://127.0.0.1:1/v1"), "needs --judge-model"),
        (
            ("run", "-c", "demo_moe", "--judge-url", "nonsense", "--judge-model", "m"),
            "--judge-url 'nonsense' is no URL",
        ),
        (("run-all",), "no ready model was found; set JUDGE_MODELS_DIR"),
        (("score", "latest"), "no run 'latest' in the store; known: none"),
        (("report", "nope"), "no run 'nope' in the store"),
        (("show", "abcdef"), "'abcdef' is no run and no answer; see judge list"),
        (("--models", "missing.yaml", "models"), "missing.yaml"),
    ],
)
def test_a_mistake_is_one_clear_line(judge: Run, tmp_path: Path, args: tuple[str, ...], message: str) -> None:
    done = judge(*args, cwd=tmp_path)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode in (1, 2)
    assert len(errors) == 1 and message in errors[0], done.stderr
    assert "Traceback" not in done.stderr


def test_a_dense_model_called_moe_is_refused_and_so_is_the_reverse(judge: Run, tmp_path: Path, demo) -> None:
    dense = judge("collect", "--model", demo.judge, "--name", "d", "--arch", "qwen3moe", cwd=tmp_path)
    assert "called qwen3moe, but" in dense.stderr and "is a dense llama model; use arch dense" in dense.stderr
    moe = judge("collect", "--model", demo.moe, "--name", "m", "--arch", "dense", cwd=tmp_path)
    assert "called dense, but" in moe.stderr and "llama model with 4 experts" in moe.stderr
    assert dense.returncode == moe.returncode == 2


def test_an_unknown_option_is_wrong_use(judge: Run, tmp_path: Path) -> None:
    assert judge("run", "--candidat", "x", cwd=tmp_path).returncode == 2


def test_a_damaged_store_is_named_and_left_alone(judge: Run, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_text("not a database at all\n" * 100)
    done = judge("--store", damaged, "list", cwd=tmp_path)
    assert done.returncode == 1
    assert re.search(r"error: .*damaged\.db: file is not a database; the file is damaged", done.stderr)
    assert damaged.read_text().startswith("not a database")


def test_a_dry_run_says_what_is_owed_and_starts_nothing(judge: Run, tmp_path: Path) -> None:
    done = judge("collect", "-c", "demo_moe", "--dry-run", "--json", "--samples", "2", "--tier", "T1", cwd=tmp_path)
    plan = json.loads(done.stdout)
    assert [estimate["owed"] for estimate in plan["estimates"]] == [6, 6]
    assert plan["estimates"][0]["source"] == "unknown"
    assert plan["estimates"][0]["seconds"] is None


def test_models_shows_the_acceleration_table_of_the_plan(judge: Run, tmp_path: Path) -> None:
    lines = {line["entry"]["id"]: line for line in json.loads(judge("models", "--json", cwd=tmp_path).stdout)}
    assert lines["coder_primary"]["entry"]["configs"] == ["baseline", "moe4"]
    assert lines["coder_primary"]["entry"]["expected_tps"] == {"moe4": 45.3}
    assert lines["qwen25_coder_32b"]["entry"]["speculative"] is True
    assert lines["demo_moe"]["file"]["expert_count"] == 4
    table = judge("models", cwd=tmp_path).stdout
    assert re.search(
        r"coder_primary .*Yes \(4 experts\) .*No .*moe4 45.3 t/s .*not found: JUDGE_MODELS_DIR is not set", table
    )


def test_validate_names_file_line_and_field_and_exits_with_2(judge: Run, tmp_path: Path) -> None:
    assert judge("validate", cwd=tmp_path).returncode == 0
    broken = tmp_path / "models.yaml"
    broken.write_text((ROOT / "models.yaml").read_text().replace("role: coder_primary", "role: coder_boss"))
    done = judge("--models", broken, "validate", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(r"models\.yaml:\d+: models\.coder_primary\.role: .*coder_boss", done.stdout)


def test_doctor_finds_what_is_there(judge: Run, tmp_path: Path) -> None:
    done = judge("doctor", "--json", cwd=tmp_path)
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0
    assert findings["model server"]["found"].startswith("llama-cpp-python 0.")
    assert "demo_moe" in findings["model files"]["found"]


def test_output_to_a_pipe_has_no_colours(judge: Run, tmp_path: Path) -> None:
    assert "\x1b[" not in judge("models", cwd=tmp_path).stdout


def test_the_judge_script_is_this_command_line() -> None:
    script = Path(sys.executable).with_name("judge")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    module = subprocess.run(command("--help"), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == module.stdout.splitlines()[1:], "all but the name in the usage line"
