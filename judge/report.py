"""Results -> Markdown, CSV, JSON and one text file per answer. Rendering only: every figure comes from judge.results."""

import csv
import io
import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from judge.pipeline import file_name
from judge.plan import questions_of, wanted_answers
from judge.records import ArmRecord, Launch, RunRecord
from judge.results import ArmResult, Results
from judge.speed import Spread
from judge.store import Store
from judge.types import Question
from runner.timing import timing
from runner.types import Answer

PLAN_COLUMNS = ("Model", "Quant", "Config", "Speed", "T1", "T2", "T3", "Role")
NONE = "-"
RULE = "-" * 72

Rows = list[list[str]]


def write_files(run: RunRecord, results: Results, store: Store, folder: Path) -> list[Path]:
    """Write every file of the run into ``folder`` and return their paths. Existing ones are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "results.md": markdown(results),
        "results.csv": csv_table(results),
        "summary.json": results.model_dump_json(indent=2) + "\n",
        "run.json": run_json(run, results),
    }
    paths = [_write(folder / name, text) for name, text in texts.items()]
    return paths + [_write(folder / name, text) for name, text in answer_files(run, store)]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- tables ---------------------------------------------------------------------------------------------------------


def plan_rows(results: Results) -> Rows:
    """Return the plan's table: one row an arm, under PLAN_COLUMNS."""
    return [
        [arm.model, arm.quant or NONE, arm.config, speed(arm), *(tier(arm, t) for t in ("T1", "T2", "T3")), role(arm)]
        for arm in results.arms
    ]


def speed(arm: ArmResult) -> str:
    """Return the median decode speed over HTTP: ``45.3 t/s``."""
    spread = arm.speed.decode_tps
    return f"{spread.median:.1f} t/s" if spread else NONE


def tier(arm: ArmResult, tier_id: str) -> str:
    """Return the tier score with its coverage where not everything is scored: ``4.2 (5/6)``."""
    found = next((score for score in arm.tiers if score.tier == tier_id), None)
    if found is None:
        return NONE
    partial = (
        f" ({found.coverage.scored}/{found.coverage.wanted})" if found.coverage.scored < found.coverage.wanted else ""
    )
    return (f"{found.mean:.2f}" if found.mean is not None else "missing") + partial


def role(arm: ArmResult) -> str:
    """Return the decisions on all roles, the highest rung that passes first; UNDECIDED where the data carries no more."""
    if not arm.decisions:
        return NONE
    passed = [d for d in arm.decisions if d.outcome == "PASS"]
    if passed:
        return passed[-1].label
    undecided = [d.role for d in arm.decisions if d.outcome == "UNDECIDED"]
    return f"UNDECIDED ({', '.join(undecided)})" if undecided else "FAIL (every role)"


def speed_rows(results: Results) -> Rows:
    """Return one row an arm: time to first token, prefill, decode, the server's own figure, the difference, the speed-up."""
    return [
        [
            arm.id,
            _figure(arm.speed.ttft_s, 2),
            _figure(arm.speed.prefill_tps, 1),
            _figure(arm.speed.decode_tps, 1),
            _figure(arm.speed.server_decode_tps, 1),
            _figure(arm.speed.overhead_ms, 2),
            f"{arm.speed.speedup:.2f}x" if arm.speed.speedup else NONE,
            str(arm.speed.decode_tps.n if arm.speed.decode_tps else 0),
            ", ".join(arm.speed.token_sources) or NONE,
        ]
        for arm in results.arms
    ]


SPEED_COLUMNS = (
    "Arm", "TTFT s", "Prefill t/s", "Decode t/s", "Server eval t/s", "Difference ms/token", "Speed-up", "n", "Counted by",
)  # fmt: skip


def _figure(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return NONE
    sd = f" ± {spread.sd:.{digits}f}" if spread.sd is not None else ""
    return f"{spread.median:.{digits}f}{sd}"


def markdown_table(columns: Sequence[str], rows: Rows) -> str:
    """Return a Markdown table; pipes in cells are escaped."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def csv_table(results: Results) -> str:
    """Return the plan's table as CSV with plain numbers: ``Speed`` in tokens per second, tiers as scores, empty: missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(PLAN_COLUMNS)
    for arm in results.arms:
        means = {score.tier: score.mean for score in arm.tiers}
        decode = arm.speed.decode_tps
        numbers = [decode.median if decode else None, *(means.get(t) for t in ("T1", "T2", "T3"))]
        cells = ["" if number is None else f"{number:.4g}" for number in numbers]
        writer.writerow([arm.model, arm.quant or "", arm.config, *cells, role(arm)])
    return out.getvalue()


# --- the Markdown report --------------------------------------------------------------------------------------------


def markdown(results: Results) -> str:
    """Return the whole report as Markdown."""
    return "\n\n".join(_sections(results)) + "\n"


def _sections(results: Results) -> Iterator[str]:
    yield f"# {results.suite} {results.suite_version}: run {results.run_id}"
    yield trust_line(results)
    yield markdown_table(PLAN_COLUMNS, plan_rows(results))
    yield "## Roles\n\n" + _roles(results)
    yield "## Targets\n\n" + _targets(results)
    yield "## Execution\n\n" + _execution(results)
    yield "## Judge against tests\n\n" + _judge_against_tests(results)
    yield "## Speed\n\n" + markdown_table(SPEED_COLUMNS, speed_rows(results)) + "\n\n" + SPEED_NOTE
    yield "## Questions\n\n" + _questions(results)
    yield "## How the models were served\n\n" + _launches(results)
    failures = [f"- {arm.id}: {line}" for arm in results.arms for line in arm.failures]
    yield "## Failures (missing, counted, owed again)\n\n" + ("\n".join(failures) or "None.")


SPEED_NOTE = (
    "Median ± standard deviation over the answers that were judged, one stream. Decode is (n-1)/(t_last - t_first) as a client "
    "sees it; server eval is llama.cpp's own eval time, which leaves out sampling and HTTP (llama-bench leaves out sampling, too). "
    "TTFT and prefill leave out requests whose prompt was mostly in the cache."
)


def trust_line(results: Results) -> str:
    """Return what the scores rest on."""
    c = results.coverage
    executed = (
        f" Policy: {results.policy}." if any(q.checks_known for arm in results.arms for q in arm.questions) else ""
    )
    if not results.judges:
        return f"Not judged. Answers: {c.answered} of {c.wanted}, {results.samples} a question."
    judges = "; ".join(f"{judge.name} ({judge.standing}, {judge.replicates} per answer)" for judge in results.judges)
    lines = [
        f"Judge: {judges}; not audited, so a role is provisional at most. "
        f"Answers: {c.answered} of {c.wanted}, scored: {c.scored}, {results.samples} a question.{executed}"
    ]
    if any(question.unsafe_executions for arm in results.arms for question in arm.questions):
        lines.append("Warning: answers were executed WITHOUT a sandbox; they could have forged what the checks saw.")
    if family := [arm.id for arm in results.arms if arm.panel.own_family]:
        lines.append(
            f"Warning: the judge is of the same or unknown family as {', '.join(family)}; judges favour their own family."
        )
    return "\n\n".join(lines)


def _roles(results: Results) -> str:
    rows = [
        [arm.id, decision.role, decision.outcome.value, decision.reason]
        for arm in results.arms
        for decision in arm.decisions
    ]
    return markdown_table(("Arm", "Role", "Outcome", "Because"), rows) if rows else "Not judged."


def _targets(results: Results) -> str:
    words = {True: "met", False: "missed", None: "no score"}
    rows = [
        [arm.id, arm.role or NONE, tier_id, words[met]]
        for arm in results.arms
        for tier_id, met in arm.targets_met.items()
    ]
    return markdown_table(("Arm", "Role today", "Tier", "Target"), rows) if rows else "No arm fills a role today."


def _questions(results: Results) -> str:
    rows = [
        [
            arm.id,
            question.id,
            _mean(question.mean, 2),
            _mean(question.judge_mean, 2),
            ", ".join(f"{count} {state}" for state, count in question.states.items()),
            "; ".join(f"{c.name} {_mean(c.mean)}" for c in question.criteria),
        ]
        for arm in results.arms
        for question in arm.questions
    ]
    return markdown_table(("Arm", "Question", "Score", "Judge alone", "Answers", "Criteria (judge alone)"), rows)


def _mean(mean: float | None, digits: int = 1) -> str:
    return f"{mean:.{digits}f}" if mean is not None else NONE


def _execution(results: Results) -> str:
    """Return the checks passed per question and arm."""
    rows = [
        [
            arm.id,
            question.id,
            f"{question.checks_passed} of {question.checks_known}" if question.checks_known else NONE,
            ", ".join(f"{count} {state}" for state, count in question.evidence_states.items()) or "not executed",
        ]
        for arm in results.arms
        for question in arm.questions
    ]
    return markdown_table(("Arm", "Question", "Checks passed", "Answers"), rows)


def _judge_against_tests(results: Results) -> str:
    """Return how often the judge was right where the tests are decisive, and every disagreement."""
    if not results.judges:
        return "Not judged."
    how = (
        "scored without seeing the evidence"
        if results.judged_blind
        else "with the evidence in sight; --blind audits the judge"
    )
    rows = [
        [
            arm.id,
            _share(arm.rates.right_confirmed, arm.rates.right),
            _share(arm.rates.wrong_caught, arm.rates.wrong),
        ]
        for arm in results.arms
    ]
    table = markdown_table(("Arm", "Right criteria confirmed (TPR)", "Wrong criteria caught (TNR)"), rows)
    lines = [
        f"- {d.arm_id} {d.question_id} sample {d.sample}, {d.criterion}: {d.judge} {d.score}, evidence allows {d.bound}"
        for arm in results.arms
        for d in arm.disagreements
    ]
    return f"{', '.join(judge.name for judge in results.judges)}, {how}.\n\n{table}\n\n" + (
        "\n".join(lines) or "No disagreement."
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.0%})" if whole else NONE


def _launches(results: Results) -> str:
    lines = [f"- {arm.id}: {launch_line(launch)}" for arm in results.arms for launch in arm.launches[-1:]]
    return "\n".join(lines) or "Nothing was served for this run."


def launch_line(launch: Launch) -> str:
    """Return what the log of a server proved, and the command."""
    overrides = ", ".join(f"{key}={value}" for key, value in launch.overrides.items()) or "none"
    proven = f"overrides proven: {overrides}; experts used: {launch.experts_used or NONE}; n_ctx {launch.n_ctx}"
    return f"{proven}; `{shlex.join(launch.command)}`"


# --- single files ---------------------------------------------------------------------------------------------------


def run_json(run: RunRecord, results: Results) -> str:
    """Return what identifies the run: record, versions, machine, command lines and proofs, without the suite's texts."""
    launches = {arm.id: [launch.model_dump(mode="json") for launch in arm.launches] for arm in results.arms}
    record = run.model_dump(mode="json", exclude={"suite"})
    hashes = {"suite": run.suite.hash, "arms": {r.arm.id: r.arm.fingerprint for r in run.arms}}
    return json.dumps({**record, "hashes": hashes, "launches": launches}, indent=2, ensure_ascii=False) + "\n"


def answer_files(run: RunRecord, store: Store) -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of every stored answer of the run: ``{model}_{config}_{test}.txt``."""
    questions = {question.id: question for question in questions_of(run)}
    for record in run.arms:
        units = {u.key: u for u in wanted_answers(run, record)}
        for key, answer in store.answers(units):
            question = questions[units[key].question_id]
            suffix = f"_g{answer.sample}" if answer.sample else ""
            yield f"{file_name(record.arm)}_{question.test}{suffix}.txt", answer_text(record, question, answer)


def answer_text(record: ArmRecord, question: Question, answer: Answer) -> str:
    """Return a short header with speed, tokens, state and sampling, a rule, and the raw answer."""
    return "\n".join([*_header(record, question, answer), RULE, answer.text])


def _header(record: ArmRecord, question: Question, answer: Answer) -> Iterable[str]:
    speed = timing(answer, speculative=record.arm.config.draft_tokens is not None)
    sampling = {name: value for name, value in answer.sampling.model_dump().items() if value is not None}
    yield f"# question: {question.id} {question.title}"
    yield f"# model: {record.entry.model} ({record.arm.candidate}), config: {record.arm.config.name}, sample: {answer.sample}"
    yield f"# state: {answer.state}, finish reason: {answer.finish_reason or NONE}"
    yield f"# tokens: {_or_none(speed.completion_tokens, 'd')} (counted by {speed.token_source or 'nobody'})"
    yield f"# decode: {_or_none(speed.decode_tps, '.2f')} t/s, ttft: {_or_none(speed.ttft_s, '.3f')} s"
    yield "# sampling: " + ", ".join(f"{name}={value}" for name, value in sampling.items())


def _or_none(value: float | None, spec: str) -> str:
    return NONE if value is None else format(value, spec)
