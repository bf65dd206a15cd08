"""The JSON side against its own OpenAPI document: whatever is sent, allowed or not, gets a reply that the document describes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from browsing import HERE, patiently
from ended_job import JOB, add_ended_job
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from job_service import places
from reviews import add_code, add_evidence, add_judgements, review_run
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from waiting import waiting_service

from judge.review.desk import make_queues, queues_of, say
from judge.store import utc_now

pytestmark = pytest.mark.slow

RUN = review_run(samples=1)
RATER = "ann"
EXAMPLES = 15
"""Requests of each kind an operation gets."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that takes jobs and carries out none."""
    folder = tmp_path_factory.mktemp("fuzzed")
    store = places(folder).open_store()
    add_code(store, RUN)
    add_evidence(store, RUN, fails=lambda unit: unit.question_id.endswith("Q1"))
    add_judgements(store, RUN, lambda judge, unit, criterion: 4)
    make_queues(RUN, store, per_arm=15, seed=1)
    say(store, queues_of(RUN, store).items[0], RATER, utc_now(), score=4)
    add_ended_job(store, RUN, "the judge cannot be reached")
    store.close()
    with waiting_service(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def schema(client: TestClient) -> BaseSchema:
    return schemathesis.openapi.from_dict(client.get("/api/v1/openapi.json").json())


@pytest.fixture(scope="module")
def there(client: TestClient) -> dict[str, list[str]]:
    """What there is under each name that an address may have in it."""
    run = f"/api/v1/runs/{RUN.id}"
    return {
        "run_id": [RUN.id, "latest"],
        "answer_id": [client.get(f"{run}/answers").json()["answers"][0]["id"]],
        "item_id": [client.get(f"{run}/ratings?rater={RATER}").json()[0]["item"]],
        "rater": [RATER],
        "job_id": [JOB],
        "left": [RUN.arms[0].arm.id],
        "right": [RUN.arms[1].arm.id, f"latest:{RUN.arms[1].arm.fingerprint}"],
    }


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_reply_is_one_that_the_document_describes(
    client: TestClient, schema: BaseSchema, there: dict[str, list[str]], mode: GenerationMode
) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses = {operation.label: fuzz(client, operation, mode, there) for operation in operations}
    if mode is GenerationMode.POSITIVE:
        reads = {label: found for label, found in statuses.items() if label.startswith("GET")}
        assert {label for label, found in reads.items() if 200 not in found} == set()
    else:
        refused = {label for label, found in statuses.items() if 422 in found}
        assert {label for label, found in statuses.items() if found} == refused
        assert {operation.label for operation in operations if operation.body} <= refused


def fuzz(client: TestClient, operation: APIOperation, mode: GenerationMode, there: dict[str, list[str]]) -> set[int]:
    """Send what the document allows, or with one thing in it that it does not, and return the statuses that came back."""
    found: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def ask(case: Case, data: st.DataObject) -> None:
        if data.draw(st.booleans(), label="somewhere that is there"):
            point(case, data, there)
            checks = CHECKS
        else:
            checks = [*CHECKS, negative_data_rejection]
        response = client.request(**sent(case))
        if case.method == "GET" and response.status_code == 202:  # it is being computed
            case.validate_response(response, checks=checks)
            response = patiently(lambda: client.request(**sent(case)))
        found.add(response.status_code)
        case.validate_response(response, checks=checks)

    with suppress(Unsatisfiable):  # in an address without rules nothing can be wrong
        ask()
    return found


def point(case: Case, data: st.DataObject, there: dict[str, list[str]]) -> None:
    """Let the request ask for things that are there, from the first page on."""
    case.query.pop("after", None)
    for values in (case.path_parameters, case.query):
        for name in values:
            if name in there:
                values[name] = data.draw(st.sampled_from(there[name]), label=name)


def sent(case: Case) -> dict[str, Any]:
    """Return the request as our client takes it."""
    wanted = case.as_transport_kwargs(base_url=HERE)
    return {"content" if name == "data" else name: value for name, value in wanted.items() if name != "cookies"}
