"""Pages about runs: all of them, one, its answers, one answer, and two beside each other."""

import base64
import hashlib
import re
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from judge.checks.evidence import MAX_EXAMINED_CHARS
from judge.extract.answer import extract
from judge.grounding import failure_line
from judge.plan import questions_of, wanted_answers
from judge.scoring import answer_score
from judge.store import Store
from judge.types import Judgement, Question
from judge.web.answers import PAGE, Found, Wanted, answer_named, answer_page
from judge.web.guard import POLICY
from judge.web.highlight import highlighted
from judge.web.job_parts import about_jobs
from judge.web.making import Order
from judge.web.paging import page_after
from judge.web.problems import Refusal
from judge.web.service import Here, page, run_named
from judge.web.side_by_side import diff_lines
from judge.web.waiting import AGAIN_S, pending_page
from runner.timing import timing
from runner.types import AnswerState

router = APIRouter(include_in_schema=False)
KEPT_POLICIES = 8


@router.get("/")
def start() -> Response:
    """Go to the runs."""
    return RedirectResponse("/runs", status_code=303)


@router.get("/runs")
def runs(request: Request, here: Here, after: str | None = None) -> Response:
    """Show a page of runs, newest first."""
    try:
        found, following = page_after(here.store.run_ids(), str, after, PAGE)
    except LookupError as error:
        raise Refusal(400, "the page begins after a run that is not there; begin at the first page") from error
    shown = [here.store.run(run_id) for run_id in found]
    return page(request, "runs.html.j2", runs=shown, after=after, following=following)


@router.get("/runs/{run_id}")
def one_run(request: Request, here: Here, run_id: str) -> Response:
    """Show the report of a run. While a run goes on it is shown as it was computed last, and says so."""
    run, state = run_named(here.store, run_id)
    order = Order("report", (run.id,))
    made, older_of = here.workshop.current(order), ""
    if made is None and state == "running" and (made := here.workshop.older(order)):
        older_of = made.at
    jobs = about_jobs(here, run.id)
    if made is None:
        return pending_page(request, run, state, "Report", **jobs)
    body = made.report.body
    shown = {"run": run, "state": state, "report": Markup(body), "older_of": older_of, "again_s": AGAIN_S}
    response = page(request, "run.html.j2", 200, **shown, **jobs)
    response.headers["Content-Security-Policy"] = policy_with_plots(body)
    return response


@lru_cache(maxsize=KEPT_POLICIES)
def policy_with_plots(body: str) -> str:
    """Return the policy for a page with plots: their style attributes, and the style elements that were drawn, by their hashes.

    No text of a model is in a style, so nothing of it gets in this way.
    """
    drawn = {base64.b64encode(hashlib.sha256(css.encode()).digest()).decode() for css in _STYLE.findall(body)}
    hashes = "".join(f" 'sha256-{one}'" for one in sorted(drawn))
    return POLICY.replace("style-src 'self'", f"style-src 'self'{hashes}; style-src-attr 'unsafe-inline'")


_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)


@router.get("/runs/{run_id}/answers")
def answers(request: Request, here: Here, run_id: str, asked: Annotated[Wanted, Query()]) -> Response:
    """Show a page of the answers of a run."""
    run, _ = run_named(here.store, run_id)
    # A form sends what was left open as empty text.
    wanted = Wanted.model_validate({name: value for name, value in asked if value not in (None, "")})
    found = answer_page(here.store, run, wanted)
    query = {name: value for name, value in wanted if value is not None and name != "after"}
    return page(
        request,
        "answers.html.j2",
        run=run,
        wanted=wanted,
        found=found,
        questions=questions_of(run),
        states=[state.value for state in AnswerState],
        following=urlencode({**query, "after": found.next}) if found.next else None,
        first=urlencode(query),
    )


@router.get("/runs/{run_id}/answers/{answer_id}")
def one_answer(request: Request, here: Here, run_id: str, answer_id: str) -> Response:
    """Show an answer with everything that was said of it."""
    run, _ = run_named(here.store, run_id)
    found = answer_named(here.store, run, answer_id)
    judgements = here.store.judgements_of(answer_id)
    return page(
        request,
        "answer.html.j2",
        found=found,
        code=_code(found),
        speed=timing(found.answer, speculative=found.record.arm.config.draft_tokens is not None),
        evidence=here.store.evidence_of(answer_id),
        failure_line=failure_line,
        judgements=judgements,
        scores=[answer_score(found.question, one.verdicts) for one in judgements],
        verdicts=_verdicts(found.question, judgements),
        others=_others(here.store, found),
    )


@router.get("/runs/{run_id}/compare")
def compare(request: Request, here: Here, run_id: str, left: str, right: str, other: str | None = None) -> Response:
    """Show two answers beside each other; ``other``: the run of the right one, where that is another."""
    run, _ = run_named(here.store, run_id)
    others = run_named(here.store, other)[0] if other else run
    sides = [answer_named(here.store, run, left), answer_named(here.store, others, right)]
    codes = [_program(side) or side.answer.text for side in sides]
    return page(request, "compare.html.j2", run=run, sides=sides, lines=diff_lines(codes[0], codes[1]))


# --- parts of these pages ---------------------------------------------------------------------------------------------


def _code(found: Found) -> Markup | None:
    """Return the highlighted program of an answer; ``None`` when there is none in it."""
    code = _program(found)
    return highlighted(code) if code else None


def _program(found: Found) -> str:
    """Return the program of an answer; empty when there is none in it, or it is too long to be looked for."""
    text = found.answer.text
    return extract(text, prompt=found.question.prompt).code if len(text) <= MAX_EXAMINED_CHARS else ""


def _verdicts(question: Question, judgements: list[Judgement]) -> list[tuple[str, list[object]]]:
    """Return one row a criterion: its name, and what each judgement says of it."""
    return [
        (
            criterion.name,
            [next((v for v in one.verdicts if v.criterion == criterion.id), None) for one in judgements],
        )
        for criterion in question.criteria
    ]


def _others(store: Store, found: Found) -> list[tuple[str, str]]:
    """Return (id, arm and sample) of the other stored answers to the same question."""
    units = {
        unit.key: f"{record.arm.id}, sample {unit.sample}"
        for record in found.run.arms
        for unit in wanted_answers(found.run, record, [found.question])
        if unit.key != found.unit.key
    }
    stored = store.stored_answers(units)
    return [(key, label) for key, label in units.items() if key in stored]
