"""Who may judge whom: a model never judges itself, and its own family is marked. Pure."""

from judge.records import ArmRecord, JudgeRecord


def is_self(judge: JudgeRecord, record: ArmRecord) -> bool:
    """True when the judge is the candidate: the same file, or the same name."""
    same_file = judge.model is not None and judge.model.fingerprint == record.arm.model_fingerprint
    return same_file or judge.name in (record.entry.id, record.entry.model)


def same_family(judge: JudgeRecord, record: ArmRecord) -> bool:
    """True when judge and candidate share a lineage; an unknown one counts as shared."""
    return None in (judge.family, record.entry.family) or judge.family == record.entry.family
