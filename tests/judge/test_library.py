"""What someone sees who edits the files of the library, and what comes of files that are right."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from judge.errors import LibraryError, UserError
from judge.judge_prompts import load_judge_prompts
from judge.library import check_all, load_models, load_suite

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


class Desk:
    """A working folder with a small library in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} must stand once in {name}"
        self.write(name, text.replace(old, new))

    def problems(self) -> list[str]:
        found, _ = check_all(self.folder / "models.yaml", self.folder / "prompts", self.folder / "rubrics")
        return [str(problem) for problem in found]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path)


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


# --- files that are wrong: (file, what stood there, what someone typed instead, what they read) --------------------

MISTAKES = {
    "broken YAML": (
        RUBRICS_FILE,
        "  - {id: T1, name: Easy}",
        "  - {id: T1, name: Easy",
        ["rubrics/coder.yaml:9: not valid YAML: expected ',' or '}', but got '{'"],
    ),
    "a key twice": (
        RUBRICS_FILE,
        "    expected: The sum.\n",
        "    expected: The sum.\n    expected: Two.\n",
        ["rubrics/coder.yaml:20: questions.Q1: the key 'expected' stands twice: line 19 has it too"],
    ),
    "a question twice in the rubric": (
        RUBRICS_FILE,
        "  Q2:\n",
        "  Q1:\n",
        [
            "prompts/questions/coder.yaml:9: questions[1].id: 'Q2' has no criteria in rubrics/coder.yaml",
            "rubrics/coder.yaml:23: questions: the key 'Q1' stands twice: line 18 has it too",
        ],
    ),
    "a key that is no text": (
        RUBRICS_FILE,
        "  - {id: T2, name: Hard}",
        "  - {id: T2, name: Hard, no: 1}",
        [
            "rubrics/coder.yaml:9: tiers[1]: the key 'no' is not text: put it in quotes",
            "rubrics/coder.yaml:9: tiers[1].no: unknown key: known are id, name",
        ],
    ),
    "a mistyped key": (
        RUBRICS_FILE,
        "name: Style, weight: 40",
        "name: Style, wieght: 40",
        [
            "rubrics/coder.yaml:22: questions.Q1.criteria[1].weight: is missing",
            "rubrics/coder.yaml:22: questions.Q1.criteria[1].wieght: unknown key: did you mean 'weight'?",
        ],
    ),
    "a made-up key": (
        RUBRICS_FILE,
        "  - {id: T1, name: Easy}",
        "  - {id: T1, name: Easy, zzz: 1}",
        ["rubrics/coder.yaml:8: tiers[0].zzz: unknown key: known are id, name"],
    ),
    "a made-up sampling key": (
        "models.yaml",
        "      temperature: 0\n",
        "      temprature: 0\n",
        ["models.yaml:21: models.large.sampling.temprature: unknown key: did you mean 'temperature'?"],
    ),
    "a missing key": (
        QUESTIONS_FILE,
        "    title: Sum\n",
        "",
        ["prompts/questions/coder.yaml:4: questions[0].title: is missing"],
    ),
    "a missing version": (
        "models.yaml",
        "version: 1\n",
        "",
        ["models.yaml:1: version: is missing"],
    ),
    "a newer version": (
        "models.yaml",
        "version: 1\narchitectures:",
        "version: 2\nnew_things: 1\narchitectures:",
        ["models.yaml:1: version: 2 is newer than this program reads (1): upgrade coder-judge"],
    ),
    "a version that only looks like one": (
        "models.yaml",
        "version: 1\n",
        "version: true\n",
        ["models.yaml:1: version: should be a whole number, found True"],
    ),
    "an impossible version": (
        "models.yaml",
        "version: 1\n",
        "version: 0\n",
        ["models.yaml:1: version: should be 1, found 0"],
    ),
    "a number for text": (
        QUESTIONS_FILE,
        "    title: Sum\n",
        "    title: 7\n",
        ["prompts/questions/coder.yaml:7: questions[0].title: should be text, found 7"],
    ),
    "text for a number": (
        "models.yaml",
        "n_ctx: 4096",
        "n_ctx: 4k",
        ["models.yaml:19: models.large.n_ctx: should be a whole number, found '4k'"],
    ),
    "a list for a mapping": (
        RUBRICS_FILE,
        "    thresholds: {T1: 4.0}",
        "    thresholds: [T1]",
        ["rubrics/coder.yaml:13: roles[0].thresholds: should be a mapping, found ['T1']"],
    ),
    "a blank prompt": (
        QUESTIONS_FILE,
        "prompt: Add two numbers.",
        "prompt: '  '",
        ["prompts/questions/coder.yaml:8: questions[0].prompt: '  ' is blank"],
    ),
    "a test name that is no file name": (
        QUESTIONS_FILE,
        "test: q1_sum",
        "test: q1/sum",
        [
            "prompts/questions/coder.yaml:5: questions[0].test: 'q1/sum' is no name: "
            "use letters, digits, '_', '-' and '.', and start with a letter or digit"
        ],
    ),
    "a model id that is no file name": (
        "models.yaml",
        "  large:\n",
        "  large one:\n",
        [
            "models.yaml:14: models.large one: 'large one' is no name: "
            "use letters, digits, '_', '-' and '.', and start with a letter or digit"
        ],
    ),
    "weights that do not sum to 100": (
        RUBRICS_FILE,
        "name: Style, weight: 40",
        "name: Style, weight: 50",
        ["rubrics/coder.yaml:20: questions.Q1.criteria: the weights 60 + 50 sum to 110: make it 100"],
    ),
    "a weight of nothing": (
        RUBRICS_FILE,
        "name: Style, weight: 40",
        "name: Style, weight: 0",
        ["rubrics/coder.yaml:22: questions.Q1.criteria[1].weight: should be greater than 0, found 0"],
    ),
    "a negative weight": (
        RUBRICS_FILE,
        "name: Style, weight: 40",
        "name: Style, weight: -40",
        ["rubrics/coder.yaml:22: questions.Q1.criteria[1].weight: should be greater than 0, found -40"],
    ),
    "a weight in words": (
        RUBRICS_FILE,
        "name: Style, weight: 40",
        "name: Style, weight: 40%",
        ["rubrics/coder.yaml:22: questions.Q1.criteria[1].weight: should be a whole number, found '40%'"],
    ),
    "no criteria": (
        RUBRICS_FILE,
        "    criteria:\n      - {id: logic, name: Logic, weight: 100}\n",
        "    criteria: []\n",
        ["rubrics/coder.yaml:25: questions.Q2.criteria: is empty"],
    ),
    "a criterion twice": (
        RUBRICS_FILE,
        "{id: style,",
        "{id: logic,",
        [
            "rubrics/coder.yaml:22: questions.Q1.criteria[1].id: "
            "the id 'logic' is taken by questions.Q1.criteria[0].id on line 21"
        ],
    ),
    "a question id twice": (
        QUESTIONS_FILE,
        "  - id: Q2\n",
        "  - id: Q1\n",
        [
            "prompts/questions/coder.yaml:9: questions[1].id: the id 'Q1' is taken by questions[0].id on line 4",
            "rubrics/coder.yaml:23: questions.Q2: has criteria but no question in prompts/questions/coder.yaml",
        ],
    ),
    "a test name twice": (
        QUESTIONS_FILE,
        "test: q2_sort",
        "test: q1_sum",
        [
            "prompts/questions/coder.yaml:10: questions[1].test: "
            "the test name 'q1_sum' is taken by questions[0].test on line 5"
        ],
    ),
    "a question of an unknown tier": (
        QUESTIONS_FILE,
        "    tier: T2\n",
        "    tier: T9\n",
        ["prompts/questions/coder.yaml:11: questions[1].tier: tier 'T9' is not known: use T1, T2"],
    ),
    "a target for an unknown tier": (
        RUBRICS_FILE,
        "targets: {T1: 4-5, T2: 3}",
        "targets: {T1: 4-5, T3: 3}",
        ["rubrics/coder.yaml:12: roles[0].targets.T3: tier 'T3' is not known: use T1, T2"],
    ),
    "a threshold for an unknown tier": (
        RUBRICS_FILE,
        "      T2: 4.5\n",
        "      T3: 4.5\n",
        ["rubrics/coder.yaml:16: roles[1].thresholds.T3: tier 'T3' is not known: use T1, T2"],
    ),
    "a target off the scale": (
        RUBRICS_FILE,
        "targets: {T1: 4-5, T2: 3}",
        "targets: {T1: 4-6, T2: 0}",
        [
            "rubrics/coder.yaml:12: roles[0].targets.T1: target '4-6' is no range on the 1-5 scale: write 4-5, or 5",
            "rubrics/coder.yaml:12: roles[0].targets.T2: target 0 is no range on the 1-5 scale: write 4-5, or 5",
        ],
    ),
    "a target upside down": (
        RUBRICS_FILE,
        "targets: {T1: 4-5, T2: 3}",
        "targets: {T1: 5-4, T2: 3}",
        ["rubrics/coder.yaml:12: roles[0].targets.T1: target '5-4' is no range on the 1-5 scale: write 4-5, or 5"],
    ),
    "a threshold off the scale": (
        RUBRICS_FILE,
        "      T2: 4.5\n",
        "      T2: 5.5\n",
        ["rubrics/coder.yaml:16: roles[1].thresholds.T2: should be less than or equal to 5, found 5.5"],
    ),
    "a role twice": (
        RUBRICS_FILE,
        "  - id: expert\n",
        "  - id: worker\n",
        ["rubrics/coder.yaml:14: roles[1].id: the id 'worker' is taken by roles[0].id on line 11"],
    ),
    "a score that the scale does not describe": (
        RUBRICS_FILE,
        "scores: [3, 4]",
        "scores: [3]",
        ["rubrics/coder.yaml:3: scale: describes the scores 1, 2, 3, 5: describe each of 1-5 once"],
    ),
    "the other file is of another suite": (
        QUESTIONS_FILE,
        "suite: small\n",
        "suite: large\n",
        ["prompts/questions/coder.yaml:2: suite: is 'large', but rubrics/coder.yaml is of suite 'small'"],
    ),
    "a model with an unknown role": (
        "models.yaml",
        "    role: worker\n",
        "    role: boss\n",
        ["models.yaml:9: models.small.role: role 'boss' is not known: use worker, expert"],
    ),
    "two models with one role": (
        "models.yaml",
        "    status: candidate\n",
        "    status: candidate\n    role: worker\n",
        ["models.yaml:17: models.large.role: the role 'worker' is taken by models.small.role on line 9"],
    ),
    "an unknown architecture": (
        "models.yaml",
        "    arch: qwen3moe\n",
        "    arch: qwen4moe\n",
        ["models.yaml:17: models.large.arch: architecture 'qwen4moe' is not known: use dense, qwen3moe"],
    ),
    "an unknown status": (
        "models.yaml",
        "    status: candidate\n",
        "    status: maybe\n",
        ["models.yaml:16: models.large.status: should be 'ready', 'candidate', 'deprecated' or 'demo', found 'maybe'"],
    ),
    "an unknown config": (
        "models.yaml",
        "[baseline, moe2]",
        "[baseline, moe-2]",
        [
            "models.yaml:18: models.large.configs[1]: config 'moe-2' is not known: "
            "use baseline, moeN (N experts) or spec_kN (N draft tokens)"
        ],
    ),
    "an unknown config of an architecture": (
        "models.yaml",
        "  qwen3moe: [baseline, moe4]",
        "  qwen3moe: [baseline, fast]",
        [
            "models.yaml:4: architectures.qwen3moe[1]: config 'fast' is not known: "
            "use baseline, moeN (N experts) or spec_kN (N draft tokens)"
        ],
    ),
    "a config twice": (
        "models.yaml",
        "[baseline, moe2]",
        "[baseline, moe2, moe2]",
        ["models.yaml:18: models.large.configs[2]: config 'moe2' stands twice"],
    ),
    "experts of a dense model": (
        "models.yaml",
        "    arch: dense\n",
        "    arch: dense\n    configs: [baseline, moe4]\n",
        ["models.yaml:12: models.small.configs[1]: config 'moe4' needs experts, but the architecture is dense"],
    ),
    "experts of the dense architecture": (
        "models.yaml",
        "  dense: [baseline]",
        "  dense: [baseline, moe4]",
        ["models.yaml:3: architectures.dense[1]: config 'moe4' needs experts, but the architecture is dense"],
    ),
    "a speed of a config that is not tested": (
        "models.yaml",
        "{baseline: 9.5}",
        "{moe4: 9.5}",
        ["models.yaml:13: models.small.expected_tps.moe4: this config is not tested: configs are baseline"],
    ),
    "a speed of nothing": (
        "models.yaml",
        "{baseline: 9.5}",
        "{baseline: 0}",
        ["models.yaml:13: models.small.expected_tps.baseline: should be greater than 0, found 0"],
    ),
    "a variable without braces": (
        "models.yaml",
        "${MODELS}/small.gguf",
        "$MODELS/small.gguf",
        [
            "models.yaml:10: models.small.path: path '$MODELS/small.gguf' has a $ that starts no variable: "
            "write ${VAR} or ${VAR:-default}"
        ],
    ),
    "a judge prompt with a loose dollar": (
        "prompts/judge/user.md",
        "Judge $answer for $$5.",
        "Judge\n$answer for $5.",
        ["prompts/judge/user.md:2: a $ that starts no variable: write $$ for the sign"],
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "problems"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_line_and_field(
    desk: Desk, file: str, old: str, new: str, problems: list[str]
) -> None:
    desk.edit(file, old, new)

    assert desk.problems() == problems


def test_mistakes_do_not_hide_each_other(desk: Desk) -> None:
    desk.edit(RUBRICS_FILE, "name: Style, weight: 40", "name: Style, weight: 50")
    desk.edit(RUBRICS_FILE, "{id: T1, name: Easy}", "{id: T1, nam: Easy}")
    desk.edit(QUESTIONS_FILE, "    tier: T2\n", "    tier: T9\n")
    desk.edit("models.yaml", "    role: worker\n", "    role: boss\n")

    assert desk.problems() == [
        "models.yaml:9: models.small.role: role 'boss' is not known: use worker, expert",
        "prompts/questions/coder.yaml:11: questions[1].tier: tier 'T9' is not known: use T1, T2",
        "rubrics/coder.yaml:8: tiers[0].name: is missing",
        "rubrics/coder.yaml:8: tiers[0].nam: unknown key: did you mean 'name'?",
        "rubrics/coder.yaml:20: questions.Q1.criteria: the weights 60 + 50 sum to 110: make it 100",
    ]


def test_loading_raises_all_problems_at_once(desk: Desk) -> None:
    desk.edit(RUBRICS_FILE, "name: Style, weight: 40", "name: Style, weight: 50")
    desk.edit(QUESTIONS_FILE, "    tier: T2\n", "    tier: T9\n")

    with pytest.raises(LibraryError) as caught:
        load_suite(prompts=desk.folder / "prompts", rubrics=desk.folder / "rubrics")

    assert caught.value.problems == (
        "prompts/questions/coder.yaml:11: questions[1].tier: tier 'T9' is not known: use T1, T2",
        "rubrics/coder.yaml:20: questions.Q1.criteria: the weights 60 + 50 sum to 110: make it 100",
    )


def test_a_question_without_criteria_and_criteria_without_question_are_both_named(desk: Desk) -> None:
    desk.edit(QUESTIONS_FILE, "  - id: Q2\n", "  - id: Q3\n")

    assert desk.problems() == [
        "prompts/questions/coder.yaml:9: questions[1].id: 'Q3' has no criteria in rubrics/coder.yaml",
        "rubrics/coder.yaml:23: questions.Q2: has criteria but no question in prompts/questions/coder.yaml",
    ]


def test_the_role_of_a_model_is_checked_against_the_suite_when_there_is_one(desk: Desk) -> None:
    with pytest.raises(LibraryError, match="role 'worker' is not known: use coder_primary, "):
        load_models(desk.folder / "models.yaml", suite=load_suite())


def test_a_file_that_is_not_there_is_named(desk: Desk) -> None:
    assert [str(problem) for problem in check_all(models=Path("mine.yaml"))[0]] == ["mine.yaml: no such file"]


def test_a_suite_that_is_not_there_is_named(desk: Desk) -> None:
    with pytest.raises(LibraryError) as caught:
        load_suite("other", prompts=desk.folder / "prompts", rubrics=desk.folder / "rubrics")

    assert caught.value.problems == (
        "prompts/questions/other.yaml: no such file",
        "rubrics/other.yaml: no such file",
    )


def test_an_empty_file_and_one_that_is_no_text_are_named(desk: Desk) -> None:
    desk.write(RUBRICS_FILE, "# nothing yet\n")
    (desk.folder / "models.yaml").write_bytes(b"\xff\xfe")

    assert desk.problems() == [
        "models.yaml: is not UTF-8 text: invalid start byte at byte 0",
        "rubrics/coder.yaml: the file is empty",
    ]


def test_a_file_that_holds_a_list_is_named(desk: Desk) -> None:
    desk.write("models.yaml", "- version: 1\n")

    assert desk.problems() == ["models.yaml:1: should be a mapping, found [{'version': 1}]"]


def test_a_judge_folder_without_prompts_is_named(desk: Desk) -> None:
    (desk.folder / "prompts/judge/user.md").unlink()

    assert desk.problems() == ["prompts/judge: holds no *.md with judge prompts"]


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
