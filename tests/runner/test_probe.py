"""The handshake: which way of asking for JSON a server really enforces, and whether the model is there at all."""

import pytest
from fakes import (
    NO_JSON_SCHEMA,
    FakeServer,
    Fault,
    Request,
    Response,
    ScriptedJudge,
    completion,
    error_response,
    html_response,
    json_response,
    lenient,
    script,
    serving,
)

from runner.client import ModelClient
from runner.dialects import LADDER, Dialect
from runner.errors import AccessDenied, EndpointError
from runner.probe import Capabilities, probe
from runner.retry import RetryPolicy

ONCE = RetryPolicy(attempts=1)
QUICKLY = RetryPolicy(attempts=3, base_s=0.001)
REFUSED = error_response(400, "response_format is not supported")


async def probed(server: FakeServer, retry: RetryPolicy = ONCE) -> Capabilities:
    async with ModelClient(server.endpoint()) as client:
        return await probe(client, retry=retry)


async def probed_with_counting(*counting: Response) -> Capabilities:
    """What is found of a server whose tokenizer answers like this, the last one for ever."""
    left, rest = list(counting), script(completion('{"fruit": "kiwi-7"}'))

    def handler(request: Request) -> Response:
        if request.path != "/extras/tokenize/count":
            return rest(request)
        return left.pop(0) if len(left) > 1 else left[0]

    with serving(handler) as server:
        return await probed(server, QUICKLY)


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


@pytest.mark.parametrize(
    ("response", "advice"),
    [
        (
            error_response(404, "Not Found"),
            "; see whether the URL is right, which usually ends with /v1, and whether the",
        ),
        (error_response(400, "the model `m` does not exist"), ""),
        (error_response(402, "insufficient credits"), ""),
    ],
    ids=["404", "400", "402"],
)
async def test_a_server_that_refuses_whatever_it_is_asked_is_refused_in_one_line(
    response: Response, advice: str
) -> None:
    with serving(script(response)) as server:
        with pytest.raises(EndpointError) as refused:
            await probed(server)
        assert len(server.asked()) == len(LADDER), "once in every form, the plain one included"
    said = f"HTTP {refused.value.status}: "
    assert said in str(refused.value) and advice in str(refused.value) and "\n" not in str(refused.value)


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


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_only_a_server_without_the_path_is_taken_for_one_that_counts_no_tokens(status: int) -> None:
    assert (await probed_with_counting(error_response(status, "no such thing"))).counts_tokens is False


@pytest.mark.parametrize(
    "busy", [error_response(503, "busy"), Response((Fault.RESET,), headerless=True)], ids=["503", "reset"]
)
async def test_a_server_whose_tokenizer_is_busy_once_still_counts_tokens(busy: Response) -> None:
    assert (await probed_with_counting(busy, json_response({"count": 2}))).counts_tokens is True


async def test_a_server_that_never_says_whether_it_counts_tokens_is_not_taken_for_one_that_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert (await probed_with_counting(error_response(503, "busy"))).counts_tokens is None
    assert "it is not known whether this is a llama-cpp-python server" in caplog.text


async def test_a_server_that_loads_its_model_is_waited_for() -> None:
    with serving(script(error_response(503, "Loading model"), completion('{"fruit": "kiwi-7"}'))) as server:
        async with ModelClient(server.endpoint()) as client:
            assert (await probe(client, retry=ONCE, load_timeout_s=60)).dialect is Dialect.JSON_SCHEMA
        assert len(server.asked()) == 2
