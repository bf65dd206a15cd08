"""What the groups of options come to: what is wanted, and how it is carried out. The same for every command that runs something."""

from typing import TYPE_CHECKING, Any

from judge.commands.options.arms import Asked, Candidates, Served
from judge.commands.options.carrying import Carried, Executed
from judge.commands.options.judges import FirstExam, Judged
from judge.commands.options.taking import parts

if TYPE_CHECKING:
    from judge.conduct import Conduct, Further
    from judge.places import Places
    from judge.wanted import OnSelf, RunChoice


def run_choice(asked: Asked, names: tuple[str, ...], **fields: Any) -> "RunChoice":
    """Return what is wanted; ``fields`` are further fields of RunChoice."""
    from judge.wanted import RunChoice

    return RunChoice(
        candidates=names, questions=parts(asked.questions), tiers=parts(asked.tier), samples=asked.samples, **fields
    )


def served_choice(
    places: "Places", who: Candidates, asked: Asked, served: Served, *, configs: tuple[str, ...] = (), **fields: Any
) -> "RunChoice":
    """Return what is wanted of candidates that are served here; ``configs`` go before those that were typed."""
    return run_choice(
        asked,
        who.names(),
        extra=who.extra(places),
        configs=configs or parts(who.configs),
        **served.choices(),
        **fields,
    )


def judged_choice(
    places: "Places",
    who: Candidates,
    asked: Asked,
    served: Served,
    judged: Judged,
    executed: Executed,
    *,
    otherwise: "OnSelf" = "refuse",
    configs: tuple[str, ...] = (),
) -> "RunChoice":
    """Return what is wanted of candidates that are executed and judged; ``otherwise``: what of a judge that is a candidate."""
    judges = judged.choices(otherwise=otherwise)
    return served_choice(places, who, asked, served, configs=configs, judges=judges, **executed.choices())


def whole_conduct(
    carried: Carried, judged: Judged, exam: FirstExam, executed: Executed, further: "Further | None" = None
) -> "Conduct":
    """Return how to collect, execute, examine and judge."""
    return carried.conduct(
        concurrency=judged.concurrency, unsafe=executed.unsafe_no_sandbox, exam=exam.wanted(), further=further
    )
