"""The judges of an earlier run, asked again: what they say now is not stored as if it had been asked for as then."""

from pathlib import Path

import pytest
from examples import judge_record, run_record

from judge.app import rescore
from judge.errors import UserError
from judge.judge_prompts import load_judge_prompts
from judge.places import Places
from judge.records import JudgeRecord
from judge.wanted import JudgeChoice
from runner.gguf import read_model
from runner.moe import DemoModels


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(results=tmp_path / "results")


def keep_run_of(places: Places, judge: JudgeRecord) -> None:
    store = places.open_store()
    store.add_run(run_record(judges=(judge,)))
    store.close()


def test_a_judge_that_is_not_named_again_is_asked_by_the_prompts_of_today_and_stored_as_such(places: Places) -> None:
    keep_run_of(places, judge_record(prompt_hash="of an earlier version"))
    (judge,) = rescore(places, "latest", (), None, ["judge", "score"]).judges
    assert judge == judge_record(prompt_hash=load_judge_prompts().hash)
    (named,) = rescore(places, "latest", [JudgeChoice(urls=("http://127.0.0.1:1/v1",), model="j")], None, []).judges
    assert named.prompt_hash == judge.prompt_hash


def test_a_judge_whose_model_file_was_replaced_is_not_asked_under_its_earlier_name(
    places: Places, demo: DemoModels
) -> None:
    served = judge_record(endpoint=None, model=read_model(demo.judge), prompt_hash=load_judge_prompts().hash)
    keep_run_of(places, served)
    assert rescore(places, "latest", (), None, []).judges == (served,)
    assert served.model is not None
    replaced = served.model_copy(update={"model": served.model.model_copy(update={"fingerprint": "of another file"})})
    store = places.open_store()
    store.extend_run(run_record(judges=(replaced,)))
    store.close()
    with pytest.raises(
        UserError, match=rf"^j: {demo.judge} is another file than when it judged that run; name the judge"
    ):
        rescore(places, "latest", (), None, [])


def test_a_model_file_that_is_gone_is_missed_only_where_it_is_needed(places: Places, demo: DemoModels) -> None:
    gone = read_model(demo.judge).model_copy(update={"path": "/nowhere/judge.gguf"})
    keep_run_of(places, judge_record(endpoint=None, model=gone))
    assert len(rescore(places, "latest", (), None, []).judges) == 1
