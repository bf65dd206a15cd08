"""What the doctor says about the sandbox."""

import os
from pathlib import Path

import pytest

from judge.doctor import Finding, examine, row
from judge.places import Places
from runner import isolation
from runner.isolation import Isolation


def said_of_the_sandbox(monkeypatch: pytest.MonkeyPatch, folder: Path, found: Isolation) -> Finding:
    monkeypatch.setitem(isolation._known, (os.getuid(), isolation.RUN_AS), found)
    findings = examine(Places(results=folder), {})
    return next(finding for finding in findings if finding.check == "sandbox")


def test_a_second_best_sandbox_is_named_with_how_to_get_the_best_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = Isolation(level="landlock", reason="Landlock; bubblewrap is not installed", fix="apt install bubblewrap")
    finding = said_of_the_sandbox(monkeypatch, tmp_path, found)
    assert row(finding) == ["sandbox", "ok", f"landlock: {found.reason}", "apt install bubblewrap"]


def test_no_sandbox_is_a_note_with_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = Isolation(level="none", reason="bubblewrap is not installed; no Landlock", fix="apt install bubblewrap")
    finding = said_of_the_sandbox(monkeypatch, tmp_path, found)
    assert row(finding) == ["sandbox", "note", f"none: {found.reason}", "apt install bubblewrap"]
