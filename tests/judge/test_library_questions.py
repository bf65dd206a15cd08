"""What someone sees whose questions, criteria, tiers and roles do not fit together."""

import pytest
from library_desk import QUESTIONS_FILE, RUBRICS_FILE, Desk, Mistake, desk, mistakes

from judge.errors import LibraryError
from judge.library import load_suite

__all__ = ["desk"]

MISTAKES: dict[str, Mistake] = {
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
}


@mistakes(MISTAKES)
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
