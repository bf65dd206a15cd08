"""How much of a judge's prompts its server did not have to evaluate: read from the log, request by request."""

from pathlib import Path

import pytest
from examples import SCALE, call, judgement, question
from fakes import Request, Response, ScriptedJudge, lenient, serving

from judge.grade import Grader
from judge.judge_prompts import load_judge_prompts
from judge.speed import reuse
from judge.types import Judgement
from runner.client import ModelClient
from runner.dialects import Dialect
from runner.serve import ServerLog
from runner.types import Sampling

PERF = """\
llama_perf_context_print: prompt eval time =     127.37 ms /   {evaluated} tokens (...)
llama_perf_context_print:        eval time =     696.02 ms /    81 runs   (...)
llama_perf_context_print:    graphs reused =         80
"""


async def graded(log: Path, *, mode: str = "joint") -> tuple[Judgement, list[str]]:
    """Have an answer graded on a server that writes a log; the second request on finds 300 of 320 tokens evaluated."""
    judge, asked = ScriptedJudge(lenient, enforces=Dialect.JSON_OBJECT_SCHEMA), []

    def handler(request: Request) -> Response:
        asked.append(request.body["messages"][1]["content"])
        with log.open("a") as file:
            if len(asked) > 1:
                file.write("Llama.generate: 300 prefix-match hit, remaining 20 prompt tokens to eval\n")
            file.write(PERF.format(evaluated=20 if len(asked) > 1 else 310))
        return judge(request)

    with serving(handler) as server:
        async with ModelClient(server.endpoint(local=True)) as client:
            templates = load_judge_prompts().templates
            grader = Grader(
                client, Dialect.JSON_OBJECT_SCHEMA, templates, SCALE, Sampling(temperature=0), log=ServerLog(log)
            )
            found = await grader.grade(question(), "key", "def f(): ...", call(mode=mode))
    assert isinstance(found, Judgement)
    return found, asked


async def test_the_servers_own_count_of_prompt_and_reused_tokens_is_kept_with_the_judgement(tmp_path: Path) -> None:
    found, _ = await graded(tmp_path / "server.log")
    assert (found.prompt_tokens, found.reused_tokens) == (310, 0)


async def test_asked_for_one_criterion_at_a_time_only_the_criterion_is_new_text(tmp_path: Path) -> None:
    found, (first, second) = await graded(tmp_path / "server.log", mode="per_criterion")
    assert (found.prompt_tokens, found.reused_tokens) == (310 + 320, 300)
    shared = first.partition("- c0: ")[0]
    assert second.startswith(shared) and "def f(): ..." in shared and "ANSWER" in shared
    assert len(first) - len(shared) < 200


@pytest.mark.parametrize(
    ("counts", "share"), [(((1000, 0), (1000, 800)), 0.4), (((None, None), (500, 400)), 0.8), (((700, None),), None)]
)
def test_the_share_is_over_all_tokens_of_those_that_say(
    counts: tuple[tuple[int | None, int | None], ...], share: float | None
) -> None:
    told = [judgement(5, prompt_tokens=prompt, reused_tokens=reused) for prompt, reused in counts]
    assert reuse(told).share == share
