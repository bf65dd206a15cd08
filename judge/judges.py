"""From who is to score to the record of a judge: a model that is served here, or one at an endpoint."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from judge.entries import resolve, serving_of
from judge.errors import UserError
from judge.judge_prompts import JudgePrompts
from judge.lineage import is_self
from judge.model_files import MissingFile, find_file
from judge.passwords import without_password
from judge.records import ArmRecord, JudgeRecord
from judge.types import ModelEntry
from judge.wanted import JudgeChoice, NamedChoice
from runner.identity import digest
from runner.types import Endpoint

if TYPE_CHECKING:
    from judge.files import Models

DEFAULT_JUDGE_ROLE = "architect_coding"
LAST_PORT = 65535


def build_judge(
    wanted: JudgeChoice, choice: NamedChoice, models: "Models", prompts: JudgePrompts, environ: Mapping[str, str]
) -> JudgeRecord:
    """Return who scores and how; ``choice`` says how local models are served. Raises UserError when it is not clear who."""
    if wanted.urls:
        return endpoint_judge(wanted, prompts)
    entry = models.get(wanted.name) if wanted.name else _highest_rung(models, environ)
    model, serving = resolve(entry, environ), serving_of(choice, entry)
    return JudgeRecord(
        name=entry.id,
        family=entry.family,
        fingerprint=digest([model.fingerprint, serving, wanted.sampling]),
        endpoint=None,
        model=model,
        serving=serving,
        **_asked_as(wanted, prompts),
    )


def _asked_as(wanted: JudgeChoice, prompts: JudgePrompts) -> dict[str, Any]:
    """Return the fields of a record that say how a judge is asked, wherever it is."""
    return {
        "sampling": wanted.sampling,
        "mode": wanted.mode,
        "replicates": wanted.replicates,
        "prompt_hash": prompts.hash,
        "scores_itself": wanted.on_self == "allow",
        "also_blind": wanted.also_blind,
    }


def _highest_rung(models: "Models", environ: Mapping[str, str]) -> ModelEntry:
    """Return the model that fills the highest role: who judges when nobody is named. Raises UserError when it is not there."""
    advice = "name a judge with --judge NAME, or with --judge-url URL --judge-model MODEL, or only collect with judge collect"
    entry = next((entry for entry in models.entries if entry.role == DEFAULT_JUDGE_ROLE), None)
    if entry is None:
        raise UserError(f"no judge was named and no model fills {DEFAULT_JUDGE_ROLE}; {advice}")
    found = find_file(entry, environ)
    if isinstance(found, MissingFile):
        raise UserError(f"no judge was named, and {entry.id} has no model file ({found.reason}); {advice}")
    return entry


def endpoint_judge(wanted: JudgeChoice, prompts: JudgePrompts) -> JudgeRecord:
    """Return a judge at an endpoint that somebody else runs. Raises UserError for an address or a name that cannot be one."""
    if not wanted.model:
        raise UserError(f"--judge-url {wanted.urls[0]} needs --judge-model: the name of the model to ask for there")
    for url in wanted.urls:
        _check_url(url)
    endpoint, *more = (Endpoint(base_url=url.rstrip("/"), model=wanted.model) for url in dict.fromkeys(wanted.urls))
    return JudgeRecord(
        name=wanted.model,
        family=wanted.family,
        fingerprint=digest([endpoint, wanted.sampling]),
        endpoint=endpoint,
        more_endpoints=tuple(more),
        model=None,
        **_asked_as(wanted, prompts),
    )


def _check_url(url: str) -> None:
    """Raise UserError for what is no URL, and for one with a key in it, which would be stored and shown everywhere."""
    shown = without_password(url if "://" in url else url.rpartition("@")[2])
    if not url.lower().startswith(("http://", "https://")):
        raise UserError(
            f"--judge-url {shown!r} is no URL; it starts with http:// or https:// and usually ends with /v1"
        )
    if any(mark in url for mark in "@?#"):
        raise UserError(
            f"--judge-url {shown} was given with a user, password or query; "
            "put the key into JUDGE_API_KEY, from where it is never stored"
        )
    if not _is_address(url):
        raise UserError(f"--judge-url {shown!r} is no address; it has a host, and perhaps a port up to {LAST_PORT}")


def _is_address(url: str) -> bool:
    """True where a connection can be tried: a host that can be looked up, a port that there is, nothing that is never in a URL."""
    try:
        address = urlsplit(url)
        port = address.port
        (address.hostname or "").encode("idna")
    except ValueError:  # brackets that do not fit, a port that is no number, a name that no host can have
        return False
    return bool(address.hostname) and port != 0 and url.isprintable() and " " not in url


def refuse_one_name_twice(judges: Sequence[JudgeRecord]) -> None:
    """Raise UserError when two judges have one name."""
    names = [judge.name for judge in judges]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two judges are called {name}, and tables could not tell them apart; name each judge once")


def refuse_self_judging(judge: JudgeRecord, arms: Sequence[ArmRecord]) -> None:
    """Raise UserError when the judge made some of the answers itself."""
    for record in arms:
        if is_self(judge, record):
            raise UserError(
                f"{judge.name} would judge its own answers ({record.arm.id}), and models favour themselves; "
                "name another judge, or allow it with --allow-self-judge"
            )
