"""Answers of a run, page by page: none lost and none twice while others come in, and none of another run or sampling."""

import random
from pathlib import Path

from browsing import browser
from examples import answer, judge_record, run_record
from reviews import review_run

from judge.plan import wanted_answers
from judge.records import RunRecord
from judge.store import Store


def test_paging_while_answers_come_in_loses_none_and_repeats_none(tmp_path: Path) -> None:
    run: RunRecord = review_run(id="grows", samples=40, judges=())
    store = Store.open(tmp_path / "judge.db")
    store.add_run(run)
    units = [unit for record in run.arms for unit in wanted_answers(run, record)]
    chance = random.Random(5)
    late = set(chance.sample(range(len(units)), 150))
    for number, unit in enumerate(units):
        if number not in late:
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    early = [unit.key for number, unit in enumerate(units) if number not in late]
    coming = iter(chance.sample(sorted(late), len(late)))
    with browser(tmp_path / "judge.db") as client:
        found: list[str] = []
        query: dict[str, str] = {"size": "7"}
        while True:
            got = client.get(f"/api/v1/runs/{run.id}/answers", params=query).json()
            found += [line["id"] for line in got["answers"]]
            for number in [next(coming, None) for _ in range(5)]:
                if number is not None:
                    unit = units[number]
                    store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
            if got["next"] is None:
                break
            query["after"] = got["next"]
    store.close()
    assert len(found) == len(set(found))
    assert set(early) <= set(found) and len(found) > len(early)
    places = {unit.key: number for number, unit in enumerate(units)}
    assert [places[key] for key in found] == sorted(places[key] for key in found)


def test_answers_of_another_run_with_the_same_arm_are_not_on_the_pages(tmp_path: Path) -> None:
    """Another sampling, and more samples: both are rows of the same arm."""
    mine = run_record(samples=2, judges=(judge_record(),))
    warmer = mine.arms[0].sampling.model_copy(update={"temperature": 0.1})
    other = mine.model_copy(
        update={"id": "warmer", "samples": 4, "arms": (mine.arms[0].model_copy(update={"sampling": warmer}),)}
    )
    longer = mine.model_copy(update={"id": "longer", "samples": 5})
    store = Store.open(tmp_path / "judge.db")
    for run in (mine, other, longer):
        store.add_run(run)
        for unit in wanted_answers(run, run.arms[0]):
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    store.close()
    with browser(tmp_path / "judge.db") as client:
        got = client.get(f"/api/v1/runs/{mine.id}/answers?size=1").json()
        rest = client.get(f"/api/v1/runs/{mine.id}/answers?size=1&after={got['next']}").json()
        foreign = wanted_answers(longer, longer.arms[0])[-1].key
        assert client.get(f"/api/v1/runs/{mine.id}/answers?after={foreign}").status_code == 400
        assert client.get(f"/api/v1/runs/{mine.id}/answers/{foreign}").status_code == 404
    keys = [unit.key for unit in wanted_answers(mine, mine.arms[0])]
    assert [line["id"] for line in (*got["answers"], *rest["answers"])] == keys and rest["next"] is None


def test_many_samplings_of_one_arm_hide_none_of_its_answers(tmp_path: Path) -> None:
    """All of them stand in the same place, and a page may end between two of them."""
    mine = run_record(samples=2, judges=())
    runs = [
        mine.model_copy(update={"id": f"run-{n}", "arms": (mine.arms[0].model_copy(update={"sampling": warmer}),)})
        for n in range(6)
        for warmer in [mine.arms[0].sampling.model_copy(update={"temperature": n / 10})]
    ]
    store = Store.open(tmp_path / "judge.db")
    for run in runs:
        store.add_run(run)
        for unit in wanted_answers(run, run.arms[0]):
            store.add_answer(run.id, unit, answer(prompt_id=unit.question_id, sample=unit.sample))
    store.close()
    with browser(tmp_path / "judge.db") as client:
        for run in runs:
            got = client.get(f"/api/v1/runs/{run.id}/answers?size=1").json()
            rest = client.get(f"/api/v1/runs/{run.id}/answers?size=1&after={got['next']}").json()
            keys = [unit.key for unit in wanted_answers(run, run.arms[0])]
            assert [line["id"] for line in (*got["answers"], *rest["answers"])] == keys
