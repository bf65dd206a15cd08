"""Repair labels can never enter an estimate of bias: not by type, not by value, not by conversion (A7)."""

from collections.abc import Callable, Sequence
from typing import get_type_hints

import pytest
from pydantic import ValidationError

from judge.errors import UserError
from judge.stats.estimators import audited_mean
from judge.stats.labels import AuditLabel, RepairLabel, Stratum, census
from judge.stats.ppi import JudgedUnit, ppi_mean

REPAIRS = [
    RepairLabel(unit=f"u{i}", question=f"q{i % 3}", reason="spread", repaired_score=2.0, judge_score=4.0)
    for i in range(30)
]
AUDIT = AuditLabel(unit="u", question="q", stratum="coder", inclusion_probability=0.5, human=3.0, judge=4.0)
CODER = Stratum(id="coder", units=60, drawn=30, judge_mean=4.0)
UNLABELLED = [JudgedUnit(question="q0", judge=4.0)] * 5

Estimate = Callable[[list[RepairLabel]], object]
ESTIMATES: list[Estimate] = [
    lambda labels: audited_mean(labels, [CODER]),  # type: ignore[arg-type]
    lambda labels: ppi_mean(labels, UNLABELLED),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_an_estimate_of_bias_from_repair_labels_is_refused(estimate: Estimate) -> None:
    with pytest.raises(TypeError, match="asked of a RepairLabel: only labels of the audit queue"):
        estimate(REPAIRS)


def test_one_repair_label_among_audit_labels_is_enough_to_refuse() -> None:
    with pytest.raises(TypeError, match="RepairLabel"):
        audited_mean([AUDIT, REPAIRS[0]], [CODER])  # type: ignore[list-item]


@pytest.mark.parametrize("estimator", [audited_mean, ppi_mean])
def test_estimators_are_typed_for_audit_labels_and_repair_labels_are_none(estimator: Callable[..., object]) -> None:
    assert get_type_hints(estimator)["labels"] == Sequence[AuditLabel]
    assert not issubclass(RepairLabel, AuditLabel) and not issubclass(AuditLabel, RepairLabel)


def test_the_fields_of_a_repair_label_make_no_audit_label() -> None:
    with pytest.raises(ValidationError, match="inclusion_probability"):
        AuditLabel.model_validate(REPAIRS[0].model_dump())
    with pytest.raises(ValidationError):
        AuditLabel.model_validate(REPAIRS[0], from_attributes=True)


@pytest.mark.parametrize("probability", [0.0, -0.1, 1.5])
def test_an_audit_label_was_drawn_with_a_probability(probability: float) -> None:
    with pytest.raises(ValidationError, match="inclusion_probability"):
        AuditLabel.model_validate(AUDIT.model_dump() | {"inclusion_probability": probability})


def test_repair_labels_of_every_unit_are_a_census() -> None:
    labels = census(REPAIRS, [f"u{i}" for i in range(30)], "disputed")
    assert {(x.stratum, x.inclusion_probability, x.human, x.judge) for x in labels} == {("disputed", 1.0, 2.0, 4.0)}
    found = audited_mean(labels, [Stratum(id="disputed", units=30, drawn=30, judge_mean=4.0)])
    assert not hasattr(found, "reason")


@pytest.mark.parametrize("units", [[f"u{i}" for i in range(31)], [f"u{i}" for i in range(29)], ["x"] * 30])
def test_a_census_has_a_label_for_every_unit_and_for_nothing_else(units: list[str]) -> None:
    with pytest.raises(UserError, match="offered as a census"):
        census(REPAIRS, units, "disputed")
