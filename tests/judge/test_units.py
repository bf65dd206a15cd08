"""Units: what makes an answer or a judgement the same one, and what makes it another."""

from examples import arm, call, question

from judge.units import answer_keys, answer_unit, evidence_key, judgement_key, judgement_keys
from runner.identity import digest
from runner.types import Sampling, Serving

SAMPLING = Sampling(seed=3)
UNIT = answer_unit(arm(), question(), SAMPLING, 0)


def test_the_same_request_is_the_same_unit() -> None:
    assert answer_unit(arm(), question(), Sampling(seed=3), 0).key == UNIT.key


def test_whatever_could_change_an_answer_makes_a_new_unit() -> None:
    others = [
        answer_unit(arm("moe4"), question(), SAMPLING, 0),
        answer_unit(arm(serving=Serving(n_threads=3)), question(), SAMPLING, 0),
        answer_unit(arm(model_fingerprint="f1"), question(), SAMPLING, 0),
        answer_unit(arm(), question("C-T1-Q2"), SAMPLING, 0),
        answer_unit(arm(), question(prompt="Write a fast factorial."), SAMPLING, 0),
        answer_unit(arm(), question(), Sampling(seed=4), 0),
        answer_unit(arm(), question(), Sampling(seed=3, temperature=0.1), 0),
        answer_unit(arm(), question(), SAMPLING, 1),
    ]
    assert len({UNIT.key, *(other.key for other in others)}) == len(others) + 1


def test_how_an_answer_is_scored_does_not_make_a_new_one() -> None:
    stricter = question(expected="Something else.", weights=(10, 90), title="Another")
    assert answer_unit(arm(), stricter, SAMPLING, 0).key == UNIT.key


def test_a_sample_is_asked_with_its_own_seed() -> None:
    assert answer_unit(arm(), question(), SAMPLING, 4).sampling.seed == 7


def test_whatever_could_change_a_scoring_makes_a_new_one() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"judge_fingerprint": "x"},
        {"prompt_hash": "x"},
        {"rubric_hash": "x"},
        {"mode": "per_criterion"},
        {"replicate": 1},
    ]
    keys = {judgement_key("a", call(**change)) for change in changes} | {judgement_key("b", call())}
    assert len(keys) == len(changes) + 1


def test_what_a_judge_is_called_in_reports_does_not_make_a_new_scoring() -> None:
    assert judgement_key("a", call(judge="renamed")) == judgement_key("a", call())


def test_keys_of_many_samples_are_those_of_their_units() -> None:
    odd = question('q"sample":0,"seed":1,\\')
    for sampling in (Sampling(), Sampling(seed=0, temperature=0, top_p=0.5), Sampling(seed=77, max_tokens=9)):
        for one in (question(), odd):
            keys = answer_keys(arm("moe4"), one, sampling)
            for sample in (0, 1, 9, 1234):
                assert keys(sample) == answer_unit(arm("moe4"), one, sampling, sample).key


def test_keys_of_many_scorings_are_those_of_their_calls_whatever_was_shown() -> None:
    key_of = judgement_keys(call(replicate=2, evidence="fedcba9876543210"))
    for answer in ("0123456789abcdef", "00112233445566ff"):
        for shown in (None, "0123456789abcdef"):
            assert key_of(answer, shown) == judgement_key(answer, call(replicate=2, evidence=shown))


def test_keys_of_scorings_and_evidence_are_digests_of_what_they_name() -> None:
    one = call(evidence="0123456789abcdef")
    assert judgement_key("fedcba9876543210", one) == digest(["fedcba9876543210", one.model_dump(exclude={"judge"})])
    assert evidence_key("fedcba9876543210", "0123456789abcdef") == digest(["fedcba9876543210", "0123456789abcdef"])
