"""The handshake: which way of asking for JSON a server really enforces, and whether the model is there at all."""

import pytest
from fakes import (
    NO_JSON_SCHEMA,
    FakeServer,
    Fault,
    Handler,
    Response,
    ScriptedJudge,
    completion,
    error_response,
    html_response,
    lenient,
    models_response,
    script,
    serving,
)

from runner.client import ModelClient
from runner.dialects import Dialect
from runner.errors import AccessDenied, EndpointError, ServerError
from runner.probe import Capabilities, check_model, probe
from runner.retry import RetryPolicy

ONCE = RetryPolicy(attempts=1)
QUICKLY = RetryPolicy(attempts=3, base_s=0.001)
REFUSED = error_response(400, "response_format is not supported")


async def probed(server: FakeServer, retry: RetryPolicy = ONCE) -> Capabilities:
    async with ModelClient(server.endpoint()) as client:
        return await probe(client, retry=retry)


async def checked(handler: Handler, name: str = "coder") -> None:
    with serving(handler) as server:
        async with ModelClient(server.endpoint(name)) as client:
            await check_model(client)


# --- dialects -----------------------------------------------------------------------------------------------------------


async def test_an_openai_style_server_is_asked_in_its_own_form_with_one_request() -> None:
    with serving(ScriptedJudge(lenient, enforces=Dialect.JSON_SCHEMA)) as server:
        assert (await probed(server)).dialect is Dialect.JSON_SCHEMA
        assert len(server.asked()) == 1


async def test_a_llama_cpp_python_server_is_asked_with_the_schema_beside_json_object() -> None:
    judge = ScriptedJudge(lenient, enforces=Dialect.JSON_OBJECT_SCHEMA, refusals={Dialect.JSON_SCHEMA: NO_JSON_SCHEMA})
    with serving(judge) as server:
        assert (await probed(server, QUICKLY)).dialect is Dialect.JSON_OBJECT_SCHEMA
        assert len(server.asked()) == 2  # its 500 is a validation error, so it is not tried again


async def test_a_server_that_knows_only_grammars_is_given_a_grammar() -> None:
    judge = ScriptedJudge(lenient, enforces=Dialect.GRAMMAR, refusals={Dialect.JSON_OBJECT_SCHEMA: REFUSED})
    with serving(judge) as server:
        assert (await probed(server)).dialect is Dialect.GRAMMAR


async def test_a_server_that_takes_a_schema_and_ignores_it_is_found_out() -> None:
    with serving(ScriptedJudge(lenient, enforces=Dialect.PROMPTED)) as server:
        assert (await probed(server)).dialect is Dialect.PROMPTED
        assert len(server.asked()) == 3


async def test_a_server_that_refuses_every_form_is_only_prompted() -> None:
    refusals = dict.fromkeys([Dialect.JSON_SCHEMA, Dialect.JSON_OBJECT_SCHEMA, Dialect.GRAMMAR], REFUSED)
    with serving(ScriptedJudge(lenient, refusals=refusals)) as server:
        assert (await probed(server)).dialect is Dialect.PROMPTED


async def test_the_word_that_proves_enforcement_is_not_in_the_prompt() -> None:
    with serving(ScriptedJudge(lenient)) as server:
        await probed(server)
        (request,) = server.asked()
    assert "kiwi-7" in str(request.body["response_format"])
    assert "kiwi-7" not in str(request.body["messages"])


async def test_a_judge_that_names_the_word_among_others_is_not_taken_for_enforcing() -> None:
    with serving(script(completion('{"fruit": "kiwi-7", "or": "pear"}'))) as server:
        assert (await probed(server)).dialect is Dialect.PROMPTED


async def test_a_server_that_is_busy_at_first_is_asked_again() -> None:
    with serving(script(error_response(503, "loading"), completion('{"fruit": "kiwi-7"}'))) as server:
        assert (await probed(server, QUICKLY)).dialect is Dialect.JSON_SCHEMA


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (error_response(401, "no"), AccessDenied),
        (error_response(503, "busy"), EndpointError),
        (Response((Fault.RESET,), headerless=True), EndpointError),
        (html_response(), EndpointError),
    ],
    ids=["401", "503", "reset", "html"],
)
async def test_a_server_that_cannot_be_asked_is_not_taken_for_one_that_enforces_nothing(
    response: Response, error: type[EndpointError]
) -> None:
    with serving(script(response)) as server, pytest.raises(error):
        await probed(server, QUICKLY)


async def test_a_server_that_counts_tokens_is_known_by_it() -> None:
    with serving(script(completion('{"fruit": "kiwi-7"}'), counts_tokens=True)) as server:
        assert (await probed(server)).counts_tokens
    with serving(script(completion('{"fruit": "kiwi-7"}'))) as server:
        assert not (await probed(server)).counts_tokens


# --- the model ----------------------------------------------------------------------------------------------------------


async def test_a_model_that_is_listed_is_accepted() -> None:
    await checked(lambda _: models_response("judge", "coder"))


async def test_a_model_that_is_not_listed_is_refused_with_those_that_are() -> None:
    with pytest.raises(ServerError) as caught:
        await checked(lambda _: models_response("llama", "qwen"), "qwen3")
    assert str(caught.value).partition("/v1: ")[2] == (
        "asked for model 'qwen3', the endpoint lists 'llama', 'qwen'; give one of these names"
    )


async def test_an_endpoint_that_lists_nothing_says_so() -> None:
    with pytest.raises(ServerError, match="the endpoint lists none"):
        await checked(lambda _: models_response())


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_an_endpoint_without_a_listing_is_left_to_refuse_the_name_itself(status: int) -> None:
    await checked(lambda _: error_response(status, "Not Found"))


async def test_a_listing_that_breaks_is_no_missing_listing() -> None:
    with pytest.raises(EndpointError, match="HTTP 500"):
        await checked(lambda _: error_response(500, "oops"))
