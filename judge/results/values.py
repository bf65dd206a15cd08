"""What a report shows: the figures of a run, computed once."""

from judge.audit import Disagreement, LogicAudit, Rates
from judge.compare import Comparison, Sweep
from judge.cross import CrossJudging
from judge.grounding import Policy
from judge.ladder import Rung
from judge.panel import Panel, Relation, Standing
from judge.records import Launch, RunState
from judge.results.rankings import RunRanking
from judge.roles import RoleDecision
from judge.scoring import Coverage, TierScore, together
from judge.speed import Speed
from runner.types import Value


class CriterionScore(Value):
    """One criterion of one question."""

    id: str
    name: str
    weight: int
    mean: float | None
    """The judges' own scores, 1.0-5.0; ``None`` when no judgement could assess it."""
    coverage: Coverage
    """Of this mean: an answer counts as scored when some judgement could assess the criterion."""
    cannot_assess: int
    """Judgements that could not."""


class QuestionScore(Value):
    """One question of one arm."""

    id: str
    test: str
    tier: str
    mean: float | None
    """By the run's policy, 1.0-5.0."""
    judge_mean: float | None
    """By the judges' scores as they are."""
    coverage: Coverage
    """Of both means."""
    checks_passed: int
    """Over all answers that were executed."""
    checks_known: int
    """Passed and failed; what could not be run is left out."""
    evidence_states: dict[str, int]
    """How executing went -> number of answers."""
    unsafe_executions: int
    """Answers that were executed without a sandbox: they could have forged what the checks saw."""
    states: dict[str, int]
    """State -> number of answers, ``missing`` for those that are still owed."""
    criteria: tuple[CriterionScore, ...]


class JudgeCell(Value):
    """What one judge gave one arm."""

    judge: str
    relation: Relation
    counts: bool
    """True when it is of the arm's panel."""
    tiers: dict[str, float]
    """Tier -> mean of its scores under the run's policy, 1.0-5.0; a tier without any is left out."""
    mean: float | None
    """Over questions, 1.0-5.0; ``None`` without a score."""
    coverage: Coverage
    """Of these means: of what was wanted from this judge."""
    failures: int
    """Scorings of its that failed and are still owed."""


class LabelAudit(Value):
    """How many of an arm's scores people have rated, too."""

    drawn: int
    """Units (criteria of answers) in the random sample."""
    labels: int
    """Of these, rated by people and by the judges."""
    audited: bool
    """True from 15 labels on: the bias that they show has moved the intervals that decide."""


class ArmResult(Value):
    """Everything about one arm."""

    id: str
    candidate: str
    model: str
    quant: str | None
    config: str
    role: str | None
    """The role that the candidate fills today."""
    speed: Speed
    tiers: tuple[TierScore, ...]
    questions: tuple[QuestionScore, ...]
    decisions: tuple[RoleDecision, ...]
    targets_met: dict[str, bool | None]
    """Tier -> is the target of today's role met; ``None`` without a score. Empty for a candidate without a role."""
    panel: Panel
    """The judges whose scores make the figures of this arm."""
    audit: LabelAudit | None
    """``None``: nothing of this arm was drawn for people to rate."""
    by_judge: tuple[JudgeCell, ...]
    """What each judge of the run gave this arm, whether it counts or not; judges that do not score it are left out."""
    disagreements: tuple[Disagreement, ...]
    """Where judge and tests see a criterion differently."""
    rates: Rates
    """The judge against the tests on this arm: scored blind where that was asked for, else with the evidence in sight."""
    logic_audit: LogicAudit
    """The tests as an audit of the criteria that they decide."""
    launches: tuple[Launch, ...]
    failures: tuple[str, ...]
    """One line per answer or scoring that failed; those that can never be scored say so, the others are still owed."""

    @property
    def coverage(self) -> Coverage:
        """Of a mean over all tiers."""
        return together(tier.coverage for tier in self.tiers)


class JudgeSummary(Value):
    """One judge of the run."""

    name: str
    family: str | None
    """``None``: unknown, which counts as the family of every candidate."""
    fingerprint: str
    replicates: int
    blind: bool
    """True when every answer was also scored without showing the evidence."""
    reused_share: float | None
    """Share of its prompt tokens that a llama-cpp-python server took from the state of the request before, 0-1; ``None`` for
    an endpoint, and when no judgement tells."""
    standing: Standing
    standing_reason: str
    """In words, what its exam showed."""


class Results(Value):
    """A run as a report shows it."""

    run_id: str
    created_at: str
    state: RunState
    command: tuple[str, ...]
    suite: str
    suite_version: int
    suite_hash: str
    samples: int
    policy: Policy
    """How scores and evidence were put together."""
    checks: dict[str, str]
    """Question id -> version of the checks that its answers are executed against; empty: nothing is executed."""
    judges: tuple[JudgeSummary, ...]
    """Empty when only answers were collected."""
    coverage: Coverage
    """Over all arms; an answer is scored when every replicate that was wanted gave a score."""
    owed_answers: int
    """Answers that are still missing."""
    owed_checks: int
    """Answers that are still to be executed."""
    owed_scorings: int
    """Scorings that are still missing, of answers that are there."""
    owed_exams: int = 0
    """Exams of judges that the command was to hold and did not finish; only the command itself knows."""
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    """Every config against its candidate's baseline, where both were run."""
    sweeps: tuple[Sweep, ...]
    """One recommendation a candidate that was run in its baseline and in other configs."""
    ladder: tuple[Rung, ...]
    """Who fills each role by this run, lowest rung first; empty without a judge."""
    cross: CrossJudging | None
    """What the judges say about each other; ``None`` with fewer than two."""
    ranking: RunRanking | None = None
    """The order of the arms with what judges said of two answers at a time; ``None``: nobody was asked to compare (judge rank)."""
    environment: dict[str, str]

    @property
    def judged_blind(self) -> bool:
        """True when a judge also scored every answer without being shown the evidence."""
        return any(judge.blind for judge in self.judges)

    @property
    def complete(self) -> bool:
        """True when nothing is owed."""
        return self.owed_answers == 0 and self.owed_checks == 0 and self.owed_scorings == 0 and self.owed_exams == 0

    @property
    def owed_text(self) -> str:
        """All that is owed, in words."""
        exams = f" and {self.owed_exams} {'exam' if self.owed_exams == 1 else 'exams'}" if self.owed_exams else ""
        scorings = f"{', ' if exams else ' and '}{self.owed_scorings} scorings{exams}"
        return f"{self.owed_answers} answers, {self.owed_checks} executions{scorings}"
