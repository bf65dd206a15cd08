"""Two answers to one question before a judge: what it was asked, and what came of it. Values only."""

from typing import NamedTuple

from judge.stats.preferences import Result
from judge.types import JudgeFailureKind
from runner.identity import digest
from runner.types import Value

Winner = Result
"""Which of two answers is better, by the place in which it was shown."""


class Shown(NamedTuple):
    """One answer as it is put before a judge."""

    key: str
    """Of its unit; the judge never sees it."""
    text: str
    findings: str
    """What the judge is told about executing it; empty: nothing."""


class PairCall(Value):
    """Everything that one comparison of two answers by one judge depends on, beside the two answers."""

    judge: str
    """Name of the judge in reports."""
    judge_fingerprint: str
    prompt_hash: str
    """Hash of the templates of comparisons."""
    rubric_hash: str
    first_evidence: str | None = None
    """Hash of what the judge was told about executing the first answer; ``None``: it was told nothing."""
    second_evidence: str | None = None


class PairJudgement(Value):
    """Which of two answers one judge prefers, shown in this order."""

    first: str
    """Unit of the answer that was shown first."""
    second: str
    call: PairCall
    winner: Winner
    reasoning: str
    replies: tuple[str, ...]
    """Raw replies, one a request; empty when nobody had to be asked: two texts that are the same, or no answer at all."""
    repaired: bool = False
    latency_s: float = 0.0
    """Seconds over all requests of this comparison."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    reused_tokens: int | None = None
    """Of the prompt tokens, those that the server took from the state of the request before; ``None``: it does not say."""

    @property
    def key(self) -> str:
        """Identity of the comparison."""
        return pair_key(self.first, self.second, self.call)


class PairFailure(Value):
    """A comparison without a winner and without a tie. It is missing, counted, and owed again; never a tie."""

    first: str
    second: str
    call: PairCall
    kind: JudgeFailureKind
    message: str
    """One line."""
    replies: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Identity of the comparison."""
        return pair_key(self.first, self.second, self.call)


def pair_key(first: str, second: str, call: PairCall) -> str:
    """Identity of one judge's comparison of two answers in this order; the judge's display name is not part of it."""
    return digest([first, second, call.model_dump(exclude={"judge"})])
