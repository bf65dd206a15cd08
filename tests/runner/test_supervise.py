"""A server that dies under its work: started again with the same proof, not for ever, and nothing that came is asked twice."""

import asyncio
from pathlib import Path

import pytest
from fake_arms import PROOF, Lives, dying, living, supervising
from fake_log import perf
from fakes import error_response, script, streamed

from runner.client import ModelClient
from runner.collect import collect
from runner.errors import EndpointError, ProofError, ServerError
from runner.retry import RetryPolicy
from runner.serve import RunningServer
from runner.types import Answer, Prompt, Sampling

FINE = living(script(streamed("fine")))
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


async def answers_to(lives: Lives, *questions: str) -> list[Answer]:
    """Collect one answer a question."""
    requests = [(Prompt(id=question, user=question), 0, Sampling(max_tokens=8)) for question in questions]
    async with supervising(lives) as supervised:
        return [answer async for answer in collect(supervised, requests, retry=ONCE)]


async def test_the_arm_goes_on_after_its_server_was_killed_and_no_answer_is_asked_for_twice(log: Path) -> None:
    lives = Lives(log, dying("b"), FINE, says=perf())
    got = await answers_to(lives, "a", "b", "c")
    assert [(answer.prompt_id, answer.state) for answer in got] == [("a", "ok"), ("b", "ok"), ("c", "ok")]
    assert lives.asked == ["a", "b", "b", "c"]


async def test_connections_that_break_before_the_process_is_gone_are_its_death_too(log: Path) -> None:
    got = await answers_to(Lives(log, dying("a", after_s=0.2), FINE, says=perf()), "a")
    assert [answer.state for answer in got] == ["ok"]


async def test_a_question_that_kills_every_server_is_left_owed_and_the_others_are_answered(log: Path) -> None:
    lives = Lives(log, dying("poison"), says=perf())
    got = await answers_to(lives, "a", "poison", "b", "c")
    assert [answer.state for answer in got] == ["ok", "server_died", "ok", "ok"]
    assert not got[1].settled
    assert lives.asked == ["a", "poison", "poison", "b", "c"]


async def test_a_server_that_dies_a_fourth_time_is_given_up_with_the_end_of_its_log(log: Path) -> None:
    lives = Lives(log, dying("poison"), says="CUDA error: out of memory\n")
    got: list[Answer] = []
    with pytest.raises(ServerError) as caught:
        async with supervising(lives) as supervised:
            requests = [(Prompt(id=f"{n}", user="poison"), 0, Sampling()) for n in range(9)]
            async for answer in collect(supervised, requests, retry=ONCE):
                got.append(answer)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("m/baseline: the server died 4 times and is not started again; what is owed stays owed: ")
    assert first.endswith(f"the server ended with code -9; log: {log}, which ends with")
    assert set(rest) == {"    CUDA error: out of memory"}
    assert [answer.state for answer in got] == ["server_died"] * 2
    assert len(lives.servers) == 4


async def test_what_is_started_again_must_show_the_same_proof(log: Path) -> None:
    other = PROOF.model_copy(update={"experts_used": 8, "lines": ("elsewhere",)})
    with pytest.raises(
        ProofError, match=r"m/baseline: started again, the log shows .*'experts_used': 8.* at first .*: 2"
    ):
        await answers_to(Lives(log, dying("a"), FINE, proofs=[PROOF, other], says=perf()), "a")


async def test_addresses_in_the_log_are_no_part_of_the_proof(log: Path) -> None:
    elsewhere = PROOF.model_copy(update={"lines": ("at 0x5500",)})
    got = await answers_to(Lives(log, dying("a"), FINE, proofs=[PROOF, elsewhere], says=perf()), "a")
    assert [answer.state for answer in got] == ["ok"]


async def test_a_failure_that_the_server_survives_starts_nothing(log: Path) -> None:
    lives = Lives(log, living(script(error_response(422, "what?"), streamed("fine"))), says=perf())
    got = await answers_to(lives, "a", "b")
    assert [answer.state for answer in got] == ["error", "ok"]
    assert len(lives.servers) == 1


async def test_every_start_is_prepared_and_a_death_in_it_counts(log: Path) -> None:
    prepared: list[str] = []

    async def warm(server: RunningServer, client: ModelClient) -> None:
        prepared.append(server.endpoint.base_url)
        await client.stream([{"role": "user", "content": "warm up"}], Sampling())

    lives = Lives(log, dying("warm"), dying("warm"), FINE)
    async with supervising(lives, prepare=warm, restarts=2) as supervised:
        assert prepared == [server.base_url for server in lives.servers]
        assert len(supervised.deaths) == 2
    with pytest.raises(ServerError, match="died 3 times"):
        async with supervising(Lives(log, dying("warm")), prepare=warm, restarts=2):
            raise AssertionError("a server that is not ready must not be handed out")


async def test_a_preparation_that_a_living_server_refuses_is_no_death(log: Path) -> None:
    async def refused(_server: RunningServer, client: ModelClient) -> None:
        await client.stream([{"role": "user", "content": "warm up"}], Sampling())

    lives = Lives(log, living(script(error_response(400, "no"))))
    with pytest.raises(EndpointError, match="HTTP 400: no"):
        async with supervising(lives, prepare=refused):
            raise AssertionError("a server that is not ready must not be handed out")
    assert len(lives.servers) == 1


async def test_a_death_that_many_requests_see_is_one_restart(log: Path) -> None:
    lives = Lives(log, dying(), FINE)

    async def asked(_server: RunningServer, client: ModelClient) -> str:
        try:
            return (await client.stream([{"role": "user", "content": "a"}], Sampling())).text
        except EndpointError:
            return ""

    async with supervising(lives) as supervised:
        got = await asyncio.gather(*(supervised.ask(asked, good=bool) for _ in range(4)))
        assert got == ["fine"] * 4
        assert len(supervised.deaths) == 1
    assert len(lives.servers) == 2
