"""JUnit XML: what is too bad is a failure, what is missing an error, what is no news is skipped; it is always well-formed."""

import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from sample_results import arm, judge, results, several, tier

from judge.gate import GateRules, gate
from judge.panel import Standing
from judge.report.junit_xml import junit_xml
from judge.results import Results

SUITE_ATTRIBUTES = {
    "name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time",
}  # fmt: skip


def document(shown: Results, **rules: object) -> ET.Element:
    return ET.fromstring(junit_xml(shown, gate(shown, GateRules.model_validate(rules))))


def cases(root: ET.Element, suite: str) -> dict[tuple[str, str], str]:
    """(class, name) -> passed, failure, error or skipped."""
    found = root.findall(f"testsuite[@name='{suite}']/testcase")
    return {(c.attrib["classname"], c.attrib["name"]): c[0].tag if len(c) else "passed" for c in found}


@pytest.fixture(scope="module")
def root() -> ET.Element:
    return document(several())


def test_the_document_has_the_parts_that_the_usual_schema_asks_for_in_its_order(root: ET.Element) -> None:
    assert [suite.attrib["name"] for suite in root] == ["gate", "roles", "questions"]
    for index, suite in enumerate(root):
        assert set(suite.attrib) == SUITE_ATTRIBUTES
        assert suite.attrib["id"] == str(index) and suite.attrib["timestamp"] == "2026-11-28T04:00:00"
        tags = [element.tag for element in suite]
        assert tags == ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]
        for case in suite.findall("testcase"):
            assert set(case.attrib) == {"classname", "name", "time"}
            assert len(case) <= 1
            assert all({"message"} <= set(trouble.attrib) for trouble in case)
            assert all("type" in trouble.attrib for trouble in case if trouble.tag != "skipped")


def test_the_counts_of_a_suite_are_those_of_its_cases(root: ET.Element) -> None:
    for suite in root:
        counts = Counter(child.tag for case in suite.findall("testcase") for child in case)
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) > 0
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == counts[tag]


def test_there_is_a_case_for_every_arm_and_role_and_for_every_arm_and_question(root: ET.Element) -> None:
    shown = several()
    assert set(cases(root, "roles")) == {(a.id, d.role) for a in shown.arms for d in a.decisions}
    assert set(cases(root, "questions")) == {(a.id, f"{q.id} {q.test}") for a in shown.arms for q in a.questions}


def test_a_model_that_lost_its_role_fails_and_a_challenger_that_does_not_win_one_is_skipped() -> None:
    poor = (tier("T1", *[2.0] * 20), tier("T2", *[2.0] * 20), tier("T3", *[2.0] * 20))
    found = cases(
        document(results(arm("old", "baseline", *poor, role="coder_primary"), arm("new", "baseline", *poor))), "roles"
    )
    assert found == {
        ("old/baseline", "coder_primary"): "failure",
        ("old/baseline", "architect_coding"): "skipped",
        ("new/baseline", "coder_primary"): "skipped",
        ("new/baseline", "architect_coding"): "skipped",
    }


def test_what_is_missing_is_an_error_and_no_failure(root: ET.Element) -> None:
    assert cases(root, "questions")["broken/baseline", "C-T1-Q1 t1_q1"] == "error"
    assert cases(root, "gate")["coverage", "broken/baseline"] == "error"
    assert cases(root, "questions")["coder_primary/moe4", "C-T1-Q1 t1_q1"] == "passed"


def test_what_nobody_can_tell_is_skipped_and_fails_where_the_gate_is_strict() -> None:
    unknown = results(arm(), judges=(judge("big_judge", Standing.NOT_EXAMINED),))
    assert cases(document(unknown), "gate")["judge", "big_judge"] == "skipped"
    assert cases(document(unknown, strict=True), "gate")["judge", "big_judge"] == "failure"


def test_answers_without_a_judge_are_skipped_not_failed() -> None:
    unjudged = results(arm("a", "baseline", tier("T1", wanted=5), decisions=()), judges=())
    assert cases(document(unjudged), "questions") == {("a/baseline", "C-T1-Q1 t1_q1"): "skipped"}


def test_whatever_models_and_judges_say_the_document_is_well_formed() -> None:
    said = "]]></failure><testcase/>\x00\x0b\x1b[31m & \"quotes\" 'too' \ud800\ufffe\n\tnew line ✓"

    def told(word: str) -> Results:
        one = arm(word, "baseline", tier("T1", 1, 1, wanted=9), role="coder_primary", criteria=(word,))
        return results(one, judges=(judge(word, Standing.NOT_QUALIFIED, standing_reason=word),), suite=word)

    shown = told(said)
    root = ET.fromstring(junit_xml(shown, gate(shown, GateRules())).encode("utf-8"))
    assert [element.tag for element in root.iter()] == [element.tag for element in document(told("word")).iter()]
    names = [case.attrib["classname"] for case in root.findall(".//testcase")]
    assert any("]]></failure><testcase/>��" in name and "new line ✓" in name for name in names)
