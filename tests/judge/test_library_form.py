"""What someone sees who edits the library and mistypes a key, a value or a whole file."""

from pathlib import Path

import pytest
from library_desk import QUESTIONS_FILE, RUBRICS_FILE, Desk, Mistake, desk, mistakes

from judge.errors import LibraryError
from judge.library import check_all, load_suite

__all__ = ["desk"]

MISTAKES: dict[str, Mistake] = {
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
    "a judge prompt with a loose dollar": (
        "prompts/judge/user.md",
        "Judge $answer for $$5.",
        "Judge\n$answer for $5.",
        ["prompts/judge/user.md:2: a $ that starts no variable: write $$ for the sign"],
    ),
}


@mistakes(MISTAKES)
def test_a_mistake_is_named_with_file_line_and_field(
    desk: Desk, file: str, old: str, new: str, problems: list[str]
) -> None:
    desk.edit(file, old, new)

    assert desk.problems() == problems


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
