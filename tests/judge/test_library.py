"""What comes of files that are right, and where they come from."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from library_desk import QUESTIONS_FILE, RUBRICS_FILE, Desk, desk

from judge.errors import UserError
from judge.judge_prompts import load_judge_prompts
from judge.library import check_all, load_models, load_suite

__all__ = ["desk"]


# --- files that are right -----------------------------------------------------------------------------------------


def test_the_shipped_library_has_no_problems() -> None:
    problems, summary = check_all()

    assert problems == []
    assert str(summary).startswith("suite coder: 10 questions, 37 criteria, 3 roles; 13 models; ")


def test_a_small_library_has_no_problems_and_is_counted(desk: Desk) -> None:
    problems, summary = check_all(desk.folder / "models.yaml", desk.folder / "prompts", desk.folder / "rubrics")

    assert problems == []
    assert str(summary) == "suite small: 2 questions, 3 criteria, 2 roles; 2 models; 1 judge prompts"


def test_a_suite_joins_questions_and_criteria(desk: Desk) -> None:
    suite = load_suite(prompts=desk.folder / "prompts", rubrics=desk.folder / "rubrics")

    assert [(q.id, q.prompt, [c.weight for c in q.criteria]) for q in suite.questions] == [
        ("Q1", "Add two numbers.", [60, 40]),
        ("Q2", "Sort a list.\nIn place.", [100]),
    ]
    assert str(suite.roles[0].targets["T1"]) == "4-5"
    assert str(suite.roles[0].targets["T2"]) == "3"


def test_files_may_be_named_themselves(desk: Desk) -> None:
    by_file = load_suite(prompts=desk.folder / QUESTIONS_FILE, rubrics=desk.folder / RUBRICS_FILE)

    assert by_file == load_suite(prompts=desk.folder / "prompts", rubrics=desk.folder / "rubrics")


def test_a_model_without_configs_gets_those_of_its_architecture_and_the_defaults(desk: Desk) -> None:
    small, large = load_models(desk.folder / "models.yaml").entries

    assert (small.configs, small.n_ctx, small.sampling.temperature) == (("baseline",), 8192, 0.7)
    assert (large.configs, large.n_ctx, large.sampling.temperature) == (("baseline", "moe2"), 4096, 0)
    assert (large.path, large.role, large.family) == (None, None, None)


def test_an_unknown_model_names_the_nearest_ones(desk: Desk) -> None:
    models = load_models(desk.folder / "models.yaml")

    with pytest.raises(UserError, match=r"^model 'smal' is not in models\.yaml: did you mean small\?$"):
        models.get("smal")
    with pytest.raises(UserError, match=r"^model 'xyz' is not in models\.yaml: it has small, large$"):
        models.get("xyz")


def test_models_may_share_settings_through_anchors_and_override_them(desk: Desk) -> None:
    desk.edit(
        "models.yaml", "    expected_tps:", "    sampling: &base {top_k: 20, temperature: 1.0}\n    expected_tps:"
    )
    desk.edit("models.yaml", "      temperature: 0\n", "      <<: *base\n      temperature: 0\n")

    large = load_models(desk.folder / "models.yaml").get("large")

    assert (large.sampling.top_k, large.sampling.temperature) == (20, 0)


def test_judge_prompts_are_templates_with_one_hash_over_names_and_texts(desk: Desk) -> None:
    before = load_judge_prompts(desk.folder / "prompts")
    desk.write("prompts/judge/system.md", "Be fair.")
    after = load_judge_prompts(desk.folder / "prompts")

    assert before.templates["user"].substitute(answer="it") == "Judge it for $5."
    assert sorted(after.templates) == ["system", "user"]
    assert before.hash != after.hash


def test_texts_about_comparisons_have_a_hash_of_their_own_so_that_no_score_is_owed_for_their_sake(desk: Desk) -> None:
    before = load_judge_prompts(desk.folder / "prompts")
    desk.write("prompts/judge/pair_repair.md", "Again: $problem")
    after = load_judge_prompts(desk.folder / "prompts")
    assert (after.hash == before.hash, after.pair_hash == before.pair_hash) == (True, False)
    desk.write("prompts/judge/question.md", "$question, $expected")
    shared = load_judge_prompts(desk.folder / "prompts")
    assert shared.hash != after.hash and shared.pair_hash != after.pair_hash


def test_a_text_about_comparisons_says_everything_and_nothing_that_is_not_known(desk: Desk) -> None:
    desk.write("prompts/judge/pair_system.md", "Compare.\nBe fair to ${model}; $$ is a sign.")
    desk.write("prompts/judge/pair.md", "$criteria $first $first_nonce $first_evidence $second $second_nonce")
    every = "$criteria, $first, $first_evidence, $first_nonce, $second, $second_evidence, $second_nonce"
    assert desk.problems() == [
        f"prompts/judge/pair.md: lacks $second_evidence: what it stands for would not reach the judge; known: {every}",
        "prompts/judge/pair_system.md:2: $model is not filled in here; known: none",
    ]


def test_a_prompts_folder_with_questions_only_leaves_the_judge_prompts_to_the_project(desk: Desk) -> None:
    (desk.folder / "prompts/judge/user.md").unlink()
    (desk.folder / "prompts/judge").rmdir()

    assert load_judge_prompts(desk.folder / "prompts").hash == load_judge_prompts().hash


def test_a_byte_order_mark_is_no_part_of_a_file(desk: Desk) -> None:
    desk.edit("models.yaml", "version: 1\n", "\ufeffversion: 1\n")

    assert desk.problems() == []


# --- where files come from ----------------------------------------------------------------------------------------


def test_an_installed_package_reads_what_it_ships_whatever_lies_around_it(tmp_path: Path) -> None:
    site, root = tmp_path / "site", Path(__file__).parents[2]
    for package in ("judge", "runner"):
        shutil.copytree(root / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    Desk(site / "judge/_data")
    for kind in ("prompts", "rubrics"):
        shutil.copytree(root / kind, site / kind)
    shutil.copy(root / "models.yaml", site)
    program = (
        "from judge.library import load_models, load_suite; print(load_suite().name, load_models().get('large').id)"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True
    )

    assert (run.stdout, run.stderr) == ("small large\n", "")


def test_a_damaged_installation_says_where_it_looked(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    for package in ("judge", "runner"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    program = "from judge.library import load_models; load_models()"

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )

    assert run.stderr.splitlines()[-1] == (
        f"judge.errors.UserError: models.yaml is neither at {tmp_path}/judge/_data/models.yaml "
        f"nor at {tmp_path}/models.yaml: install coder-judge again, or name one"
    )
