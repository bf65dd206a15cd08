"""One answer and one judge over real HTTP, asked twice at most and without waiting in between."""

from examples import SCALE, call, question
from fakes import FakeServer

from judge.grade import Grader
from judge.judge_prompts import load_judge_prompts
from judge.types import JudgeCall, JudgeFailure, Judgement, Question
from runner.client import ModelClient, Timeouts
from runner.dialects import Dialect
from runner.retry import RetryPolicy
from runner.types import Endpoint, Sampling

TEMPLATES = load_judge_prompts().templates
WORK = question(weights=(50, 30, 20))
RETRY = RetryPolicy(attempts=2, base_s=0.001)
PATIENT = Timeouts(first_token_s=10, idle_s=0.5, reply_s=10)


def grader(client: ModelClient, dialect: Dialect = Dialect.JSON_SCHEMA) -> Grader:
    """A judge that is asked through this client."""
    return Grader(client, dialect, TEMPLATES, SCALE, Sampling(temperature=0, seed=40), RETRY)


async def graded_at(
    endpoint: Endpoint,
    answer: str = "def f(): ...",
    *,
    of: Question = WORK,
    asked: JudgeCall | None = None,
    dialect: Dialect = Dialect.JSON_SCHEMA,
    timeouts: Timeouts = PATIENT,
) -> Judgement | JudgeFailure:
    """Have the judge at this endpoint score an answer."""
    async with ModelClient(endpoint, timeouts=timeouts) as client:
        return await grader(client, dialect).grade(of, "answer-key", answer, asked or call())


async def graded(
    server: FakeServer, answer: str = "def f(): ...", *, local: bool = False, **options: object
) -> Judgement | JudgeFailure:
    """Have this server score an answer; ``local``: asked as a server of llama-cpp-python is."""
    return await graded_at(server.endpoint(local=local), answer, **options)  # type: ignore[arg-type]


def scores(judgement: Judgement) -> list[int | None]:
    """What it says of each criterion."""
    return [verdict.score for verdict in judgement.verdicts]
