"""The main job on real models: serve, prove, collect, time, judge, write the table, and ask nothing twice."""

import csv
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from judge.pipeline import evidence_of, wanted_scorings, work_of
from judge.results import Results
from judge.store import Store
from runner.timing import timing

pytestmark = pytest.mark.real

QUESTIONS = "C-T1-Q1,C-T1-Q2,C-T2-Q1"
RUN = (
    "run", "--candidate", "demo_moe", "--configs", "baseline,moe2", "--judge", "demo_judge", "--questions", QUESTIONS,
    "--samples", "1", "--max-tokens", "96", "--judge-max-tokens", "900",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main_job")


@pytest.fixture(scope="module")
def first(judge, place: Path) -> subprocess.CompletedProcess[str]:
    return judge(*RUN, cwd=place)


@pytest.fixture(scope="module")
def results(first, judge, place: Path) -> Results:
    return Results.model_validate_json(judge("report", "latest", "--json", cwd=place).stdout)


@pytest.fixture
def store(first, place: Path) -> Iterator[Store]:
    store = Store.open(place / "results" / "judge.db")
    yield store
    store.close()


def folder(place: Path, results: Results) -> Path:
    return place / "results" / results.run_id


def test_the_run_says_what_it_did_and_prints_the_table(first) -> None:
    assert first.returncode in (0, 3), first.stderr
    assert "2 experts used (proven)" in first.stderr
    assert "4 experts used (proven)" in first.stderr
    header = next(line for line in first.stdout.splitlines() if "Quant" in line)
    assert [cell.strip() for cell in header.strip("|").split("|")] == [
        "Model", "Quant", "Config", "Speed", "T1", "T2", "T3", "Role",
    ]  # fmt: skip


def test_the_override_is_proven_by_the_log_at_two_expert_counts(results: Results) -> None:
    launches = {arm.config: arm.launches[-1] for arm in results.arms}
    assert launches["baseline"].experts_used == 4
    assert launches["baseline"].overrides == {}
    assert launches["moe2"].experts_used == 2
    assert launches["moe2"].overrides == {"llama.expert_used_count": 2}
    assert any("n_expert_used         = 2" in line for line in launches["moe2"].proof_lines)


def test_every_answer_arrives_with_its_speed(results: Results) -> None:
    for arm in results.arms:
        assert arm.tiers[0].coverage.answered == 2
        assert arm.tiers[1].coverage.answered == 1
        speed = arm.speed
        assert speed.decode_tps is not None and speed.decode_tps.n == 3
        assert speed.token_sources == ("tokenize",)
        assert speed.ttft_s is not None and speed.prefill_tps is not None


def test_client_and_server_agree_on_the_decode_speed(results: Results, store: Store) -> None:
    """Median of six requests: the client is at most 2 % above the server, and less than 5 ms a token behind it."""
    run, _ = store.run(results.run_id)
    keys = [unit.key for work in work_of(run, store) for unit in work.wanted]
    measured = [timing(answer, speculative=False) for _, answer in store.answers(keys)]
    pairs = [(m.decode_tps, m.server_decode_tps) for m in measured if m.decode_tps and m.server_decode_tps]
    assert len(pairs) >= 5
    assert median(client / server for client, server in pairs) <= 1.02
    assert median(1000 / client - 1000 / server for client, server in pairs) < 5


def test_every_reply_of_the_judge_is_a_complete_verdict_or_a_counted_failure(results: Results, store: Store) -> None:
    run, _ = store.run(results.run_id)
    (judge_record,) = run.judges
    keys = [task.key for task in wanted_scorings(run, judge_record, evidence_of(run, store))]
    judged = dict(store.judgements(keys))
    assert len(judged) + results.owed_scorings == 6
    assert len(judged) >= 4, "grammar-bound JSON is complete nearly always"
    for judgement in judged.values():
        assert all(verdict.score in (1, 2, 3, 4, 5, None) for verdict in judgement.verdicts)


def test_most_of_the_judges_prompts_is_reused_from_the_request_before(results: Results, place: Path) -> None:
    (judge,) = results.judges
    assert judge.reused_share is not None and judge.reused_share >= 0.6
    report = (folder(place, results) / "results.md").read_text()
    assert f"Judge demo_judge: {judge.reused_share:.0%} of the prompt tokens were reused" in report


def test_the_judge_was_examined_before_its_scores_and_is_too_small_to_qualify(first, store: Store) -> None:
    assert "exam of demo_judge: not qualified: " in first.stderr
    assert first.stderr.index("exam of demo_judge") < first.stderr.index("demo_judge on demo_moe")
    [exam] = store.exams()
    assert not exam.qualification.logic and not exam.qualification.style
    assert exam.stopped, "what can change nothing is not asked"


def test_the_role_column_says_undecided_for_that_reason(first) -> None:
    rows = [line for line in first.stdout.splitlines() if "demo-moe" in line]
    assert rows and all("UNDECIDED (judge not qualified)" in row for row in rows)
    assert first.stdout.startswith("These scores decide nothing: no judge is qualified.")


def test_every_answer_of_the_real_model_is_executed_in_the_sandbox(first, results: Results, store: Store) -> None:
    assert "executed demo_moe/moe2 C-T1-Q1: " in first.stderr
    assert results.owed_checks == 0
    for arm in results.arms:
        assert sum(count for question in arm.questions for count in question.evidence_states.values()) == 3
    run, _ = store.run(results.run_id)
    evidence = evidence_of(run, store)
    assert len(evidence) == 6
    assert all(found.isolation == "bwrap" and found.state != "not_run" for found in evidence.values())
    judgements = [one for key in evidence for one in store.judgements_of(key)]
    assert judgements and all(
        one.call.evidence is not None for one in judgements if evidence[one.answer_unit].state == "ok"
    )


def test_the_results_folder_has_every_file_of_the_plan(results: Results, place: Path) -> None:
    names = {path.name for path in folder(place, results).iterdir()}
    assert {"results.md", "results.csv", "summary.json", "run.json"} <= names
    assert {
        f"demo_moe_{config}_{test}.txt"
        for config in ("baseline", "moe2")
        for test in ("t1_q1_factorial", "t1_q2_reverse_words", "t2_q1_palindrome")
    } <= names
    rows = list(csv.DictReader((folder(place, results) / "results.csv").read_text().splitlines()))
    assert list(rows[0])[:8] == ["Model", "Quant", "Config", "Speed", "T1", "T2", "T3", "Role"]
    assert [row["Config"] for row in rows] == ["baseline", "moe2"]
    assert all(row["Quant"] == "Q4_1" and float(row["Speed"]) > 0 and row["T3"] == "" for row in rows)


def test_an_answer_file_has_a_header_and_the_raw_answer(results: Results, place: Path, store: Store) -> None:
    text = (folder(place, results) / "demo_moe_moe2_t1_q1_factorial.txt").read_text()
    header, _, answer = text.partition("-" * 72 + "\n")
    assert "config: moe2" in header and "decode:" in header and "temperature=" in header
    assert answer.strip()


def test_the_run_record_names_versions_hashes_and_command_lines_and_no_key(results: Results, place: Path) -> None:
    record = json.loads((folder(place, results) / "run.json").read_text())
    assert record["environment"]["llama-cpp-python"]
    assert record["hashes"]["suite"] == results.suite_hash
    command = record["launches"]["demo_moe/moe2"][0]["command"]
    assert "--interrupt_requests" in command and command[command.index("--interrupt_requests") + 1] == "false"


def test_every_role_is_undecided_because_the_judge_is_not_qualified(results: Results) -> None:
    for arm in results.arms:
        assert len(arm.decisions) == 3
        for decision in arm.decisions:
            assert decision.outcome.value == "UNDECIDED"
            assert decision.reason == "demo_judge: not qualified, so these scores decide nothing"


def test_a_judge_of_the_same_family_is_warned_about(first) -> None:
    assert "the judge is of the same or unknown family as demo_moe/baseline, demo_moe/moe2" in first.stdout


def test_the_second_run_asks_nothing_that_is_stored(first, judge, place: Path, store: Store) -> None:
    run, _ = store.run("latest")
    launches = sum(len(store.launches(record.arm)) for record in run.arms)
    again = judge(*RUN, cwd=place)
    assert "loading demo_moe" not in again.stderr
    assert sum(len(store.launches(record.arm)) for record in run.arms) == launches
    if first.returncode == 0:
        assert "loading" not in again.stderr
        assert again.returncode == 0


def test_show_prints_an_answer_by_the_start_of_its_id(first, judge, place: Path) -> None:
    listing = judge("show", "latest", cwd=place).stdout
    line = next(line for line in listing.splitlines() if re.match(r"- [0-9a-f]{16} demo_moe/moe2 C-T1-Q1", line))
    shown = judge("show", line.split()[1][:8], cwd=place).stdout
    assert "# question: C-T1-Q1" in shown
    assert "## demo_judge, replicate 0" in shown


def test_a_speculative_arm_is_proven_by_its_draft_batches(judge, place: Path) -> None:
    done = judge(
        "collect", "-c", "demo_judge", "--configs", "spec_k8", "--questions", "C-T1-Q1", "--max-tokens", "48", "--json",
        cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    speed = json.loads(done.stdout)["arms"][0]["speed"]
    assert speed["decode_tps"]["median"] > 0
    assert speed["server_decode_tps"] is None, "a step is not a token there"
