"""The HTML report: one file, safe whatever models say, the same numbers in plots and tables, and readable without seeing."""

import re
import xml.etree.ElementTree as ET

import pytest
from pages import Page
from sample_results import arm, cell, disagreement, judge, launch, results, several, tier

from judge.panel import Panel, Relation, Standing
from judge.report.figures import figures
from judge.report.html_report import html_report
from judge.report.panels import Figure
from judge.results import Results

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'\" autofocus onfocus=alert(1) x=\"",
    "</style></svg></td></table><iframe src=//evil.example>",
    "{{ 7*7 }}{% raw %}",
    "$\\frac{1}{0}$ &lt;b&gt; &#60;i&#62;",
    "]]></title><svg/onload=alert(1)>",
    "javascript:alert(1)\x00\x1b[31m\u202ereversed\ud800",
    "#1b1c1d url(#clip) style=\"x\"",
    "模型 🦙 نموذج",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown() -> Results:
    return several()


@pytest.fixture(scope="module")
def html(shown: Results) -> str:
    return html_report(shown)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def plots(html: str) -> list[ET.Element]:
    return [ET.fromstring(found) for found in re.findall(r"<svg .*?</svg>", html, flags=re.DOTALL)]


def test_the_report_is_one_file_that_loads_nothing_and_runs_nothing(html: str, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "foreignobject"}
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "href", "action", "style"):
            assert re.match(r"(#|$)", attributes.get(name, "")) or name == "style"
            assert not re.search(r"url\((?!#)", attributes.get(name, ""))
    assert "@import" not in html and not re.search(r"url\((?!#)", html)
    policies = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_element_is_closed_and_every_id_is_there_once(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert page.open == []
    assert len(ids) == len(set(ids))
    references = [a["href"] for tag, a in page.elements if a.get("href", "").startswith("#")]
    labels = [id for _, a in page.elements for id in a.get("aria-labelledby", "").split()]
    assert {reference[1:] for reference in references} | set(labels) <= set(ids)


def test_every_plot_says_in_words_what_it_shows(plots: list[ET.Element]) -> None:
    assert len(plots) > 10
    names = [plot.find("{*}title").text for plot in plots]  # type: ignore[union-attr]
    assert len(names) == len(set(names))
    for plot in plots:
        assert plot.attrib["role"] == "img"
        assert plot.attrib["aria-labelledby"] == " ".join(
            plot.find(f"{{*}}{tag}").attrib["id"] for tag in ("title", "desc")
        )  # type: ignore[union-attr]
    spoken = {plot.find("{*}title").text: plot.find("{*}desc").text or "" for plot in plots}  # type: ignore[union-attr]
    assert "coder_primary/moe4: decode, tokens per second 45.3, T1 score 4.60 [" in spoken["Speed against quality: T1"]
    assert "lines at 4 coder_primary, 4.5 architect_coding" in spoken["Tiers against the roles' thresholds: T1"]
    assert "coder_primary: 34.10 at 8" in spoken["Experts used: Speed"].replace(
        "58.00 at 2, 45.30 at 4, 39.70 at 6, ", ""
    )
    assert "right confirmed (TPR) 0.92, wrong caught (TNR) 0.38" in spoken["Judge against tests: Share of criteria"]


def test_plots_take_the_colours_of_the_page(html: str, plots: list[ET.Element]) -> None:
    drawn = "".join(ET.tostring(plot, encoding="unicode") for plot in plots)
    assert "var(--ink)" in drawn and "var(--accent-0)" in drawn and "var(--paper)" in drawn
    assert "#1b1c1d" not in drawn and "#0b5a9a" not in drawn
    for variable in set(re.findall(r"var\((--[a-z0-9-]+)\)", html)):
        assert html.count(f"{variable}:") >= 3, f"{variable} needs a value for light, dark and paper"


def test_the_same_results_give_the_same_bytes() -> None:
    small = results(arm("a", "baseline", tier("T1", 5)), created_at="then")
    first, second = html_report(small), html_report(small)
    assert first == second
    assert not re.search(r"\d{4}-\d\d-\d\dT", first), "no date of drawing"


def test_behind_every_plot_stands_a_table_with_its_numbers(shown: Results, page: Page) -> None:
    for figure in figures(shown):
        assert figure.panels and figure.rows, figure.id
        for row in figure.rows:
            assert list(row) in page.rows, f"{figure.id}: {row} is in no table"


def test_the_first_table_shows_value_interval_coverage_and_role(page: Page) -> None:
    rows = {row[0]: row for row in page.rows[:9]}
    assert rows["Arm"][4:] == ["T1", "T2", "T3", "coder_primary", "architect_coding"]
    assert re.fullmatch(r"4\.90 \[\d\.\d\d, \d\.\d\d\] K 5, 1 judge, 5/5", rows["coder_primary/baseline"][4])
    assert rows["coder_primary/moe2"][7] == "✘ FAIL fills it today"
    assert rows["qwen25_coder_32b/spec_k8"][6] == "- K 5, 1 judge, 0/5, 2 failed, 3 missing"
    assert rows["broken/baseline"][3:6] == ["-", "- K 5, 1 judge, 0/5, 5 missing", "-"]
    assert (
        "On these 3 questions, 5 answers each, by big_judge, other_judge, not audited, so a role is provisional"
        in page.text
    )


def test_what_the_scores_rest_on_stands_before_them(shown: Results, page: Page) -> None:
    before, _, _ = page.text.partition("Score [interval]")
    assert "Judge big_judge" in before and "not examined" in before
    assert "not audited" in before and "95 of 105 answers scored" in before
    failed = results(
        arm(panel=Panel(judges=("j",), standing=Standing.NOT_QUALIFIED, own_family=True)),
        judges=(judge("j", Standing.NOT_QUALIFIED, standing_reason="caught 3 of 10 wrong answers"),),
    )
    text = Page(html_report(failed)).text.partition("Score [interval]")[0]
    assert "✘ not qualified" in text and "caught 3 of 10 wrong answers" in text
    assert "the judge is of the same or unknown family as coder/baseline" in text


def test_a_run_without_anything_says_so_and_draws_nothing() -> None:
    empty = Page(html_report(results(judges=())))
    assert [tag for tag, _ in empty.elements if tag == "svg"] == []
    for figure in figures(results(judges=())):
        assert figure.nothing in empty.text
    assert "nobody" in empty.text and "Nothing was served for this run." in empty.text


def worded(*words: str) -> Results:
    """Results whose every free text is one of ``words``."""
    name = iter(words * 9)
    hostile_arms = [
        arm(
            f"a{index} {next(name)}", config, tier("T1", 5, 4), tier("T2", 3, 2),
            experts=experts, criteria=(next(name), next(name) + "!"), model=next(name), quant=next(name), role=next(name),
            failures=(next(name),), launches=(launch(next(name), experts).model_copy(update={"command": words}),),
            disagreements=(disagreement(next(name), criterion=next(name)),),
            by_judge=(cell(words[0] + "1", (tier("T1", 5),)), cell(words[1] + "2", (tier("T1", 4),), relation=Relation.SELF)),
        )
        for index, (config, experts) in enumerate((("baseline", 8), ("moe4", 4)))
    ]  # fmt: skip
    same_candidate = [one.model_copy(update={"candidate": words[2]}) for one in hostile_arms]
    return results(
        *same_candidate,
        judges=(judge(words[0] + "1", standing_reason=words[3]), judge(words[1] + "2")),
        command=words,
        suite=words[4],
        environment={words[5]: words[6]},
    )


@pytest.fixture(scope="module")
def harmless() -> Page:
    return Page(html_report(worded(*(f"word {i}" for i in range(len(HOSTILE))))))


@pytest.mark.parametrize("shift", [0, 3, 7])
def test_no_text_of_a_model_or_judge_becomes_a_tag_or_an_attribute(harmless: Page, shift: int) -> None:
    hostile = Page(html_report(worded(*HOSTILE[shift:], *HOSTILE[:shift])))
    assert hostile.shape() == harmless.shape()
    assert "<script>alert(1)</script>" in hostile.text, "it is shown as it is"
    assert not set("\x00\x1b\u202e\ud800") & set(hostile.text), "what does not show is shown as a mark"
    hostile.text.encode()


def test_judges_of_the_own_family_are_hatched_in_the_matrix_of_judges(shown: Results, plots: list[ET.Element]) -> None:
    matrix = next(p for p in plots if p.find("{*}title").text.startswith("Judges against each other"))  # type: ignore[union-attr]
    texts = ["".join(text.itertext()).strip() for text in matrix.iter("{http://www.w3.org/2000/svg}text")]
    given = {one.judge: one.mean for one in shown.arms[0].by_judge}
    assert matrix.findall(".//{*}pattern")
    assert f"{given['big_judge']:.1f}" in texts and f"({given['other_judge']:.1f})" in texts
    row = next(row for row in cross(shown).rows if row[:2] == ("coder_primary/baseline", "other_judge"))
    assert row[2] == "own or unknown family"


def test_ladder_sweeps_and_judges_are_told_in_sentences(shown: Results, page: Page) -> None:
    for line in (*(rung.sentence for rung in shown.ladder), *(c.sentence for s in shown.sweeps for c in s.comparisons)):
        assert line in page.text
    assert "coder_primary: take coder_primary/baseline: nothing faster is shown to be good enough" in page.text
    assert "other_judge scores 0.40 points under the panel, own family left out" in page.text
    assert "other_judge, self-preference: no answer of another family" in page.text
    assert "the 2 judges are worth 1.3 independent ones (their errors correlate by 0.50)" in page.text
    rows = [row for row in page.rows if row[0] == "big_judge, other_judge"]
    assert len(rows) == 1, "two judges are all judges: they are told once"
    assert rows[0][1] == "5" and rows[0][6:] == ["60%", "100%", "+0.40", "30%"]


def cross(shown: Results) -> Figure:
    return next(figure for figure in figures(shown) if figure.id == "cross-judges")
