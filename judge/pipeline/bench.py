"""A judge that can be asked: served here and kept up, or reached at its endpoints."""

import asyncio
import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from string import Template

from judge.events import Noticed
from judge.grade import Grader
from judge.pairs import PairCall, PairFailure, PairJudgement, Shown
from judge.pipeline.shared import Budget, Machinery, Restarts, launch_of
from judge.records import JudgeRecord, Launch, RunRecord
from judge.store import Store
from judge.types import JudgeCall, JudgeFailure, Judgement, Level, Question
from runner.arms import build_arm
from runner.balance import Asks, Balanced
from runner.client import ModelClient
from runner.dialects import Dialect
from runner.handshake import meet
from runner.probe import probe
from runner.serve import RunningServer, ServerLog
from runner.supervise import Supervised, supervised
from runner.types import Arm, Config

MakeGrader = Callable[[Asks, Dialect, ServerLog | None], Grader]
PREPARED_S = 3600.0
"""What is prepared may wait as long as a reply takes; no reply takes longer than this."""
KeepLaunch = Callable[[Arm, Launch], None]
"""Writes down how a server was started."""


class EndpointJudge:
    """A judge at one endpoint or several."""

    experts_used: int | None = None

    def __init__(self, name: str, client: Balanced, grader: Grader, budget: Budget) -> None:
        self._budget = budget
        self.limit = client.limit
        self.grade = grader.grade
        self.compare = grader.compare
        self.grown = asyncio.Event()
        """Set when the limit is raised by an endpoint that is there at last."""
        self._name = name
        self._client = client
        self._news = collections.deque[Noticed]()

    def at_work(self) -> int:
        """Scorings at a time: as many again as are on their way are prepared, so that no place waits for a prompt to be written.

        What is prepared is begun when its turn comes, and that may be after a budget has ended: so near its end nothing is.
        """
        limit = self.limit()
        return limit if limit == 1 or self._budget.left_s() < PREPARED_S else 2 * limit

    def admit(self, client: ModelClient) -> None:
        """Give a further endpoint its share from now on."""
        self._client.admit(client)
        self.grown.set()

    def tell(self, message: str) -> None:
        """Keep a line about its endpoints until it is asked for."""
        self._news.append(Noticed(model=self._name, message=message))

    def news(self) -> Iterator[Noticed]:
        """Yield what has not been told yet about its endpoints."""
        while self._news:
            yield self._news.popleft()


class ServedJudge:
    """A judge that is served here; when its server dies of a scoring, that is asked once more of a new one."""

    grown: asyncio.Event | None = None
    """Its limit never grows."""

    def __init__(self, kept: Supervised, graders: list[Grader]) -> None:
        self.news = Restarts(kept).news
        self._kept = kept
        self._graders = graders
        """One for each start of the server, the newest last."""

    @property
    def experts_used(self) -> int | None:
        """What the log of its server proved."""
        return self._kept.server.proof.experts_used

    def limit(self) -> int:
        """A llama-cpp-python server works on one request at a time."""
        return 1

    at_work = limit

    async def grade(
        self, question: Question, answer_key: str, answer: str, call: JudgeCall, evidence: str = ""
    ) -> Judgement | JudgeFailure:
        """Score one answer as Grader does. Raises ServerError when the server died too often."""
        return await self._kept.ask(
            lambda _server, _client: self._graders[-1].grade(question, answer_key, answer, call, evidence),
            good=_says_nothing_of_the_server,
        )

    async def compare(
        self, question: Question, first: Shown, second: Shown, call: PairCall
    ) -> PairJudgement | PairFailure:
        """Compare two answers as Grader does. Raises ServerError when the server died too often."""
        return await self._kept.ask(
            lambda _server, _client: self._graders[-1].compare(question, first, second, call),
            good=_says_nothing_of_the_server,
        )


OpenJudge = EndpointJudge | ServedJudge


def _says_nothing_of_the_server(outcome: Judgement | JudgeFailure | PairJudgement | PairFailure) -> bool:
    return not isinstance(outcome, JudgeFailure | PairFailure) or outcome.kind not in ("endpoint", "refused")


async def open_judge(
    run: RunRecord,
    judge: JudgeRecord,
    store: Store,
    templates: Mapping[str, Template],
    machinery: Machinery,
    stack: AsyncExitStack,
) -> OpenJudge:
    """Serve the judge or reach its endpoints; ``stack`` keeps them open."""
    if judge.model is None:
        return await reach_judge(judge, run.suite.scale, templates, machinery, stack)

    def keep(arm: Arm, launch: Launch) -> None:
        store.add_launch(run.id, arm, launch)

    return await serve_judge(judge, run.suite.scale, templates, machinery, stack, keep)


async def serve_judge(
    judge: JudgeRecord,
    scale: Sequence[Level],
    templates: Mapping[str, Template],
    machinery: Machinery,
    stack: AsyncExitStack,
    keep: KeepLaunch,
) -> ServedJudge:
    """Serve a judge here; ``stack`` keeps it up. Raises ServerError or ProofError when it does not run as it was told to."""
    assert judge.model is not None
    grader = _grader_of(judge, scale, templates, machinery)
    arm, graders = judge_arm(judge), list[Grader]()

    async def prepare(server: RunningServer, client: ModelClient) -> None:
        keep(arm, launch_of(server))
        graders.append(grader(client, (await probe(client, retry=machinery.retry)).dialect, server.log))

    log = machinery.folder / "logs" / f"judge_{judge.name}.log"
    kept = await stack.enter_async_context(supervised(arm, judge.model, log, prepare=prepare, options=machinery.serve))
    return ServedJudge(kept, graders)


async def reach_judge(
    judge: JudgeRecord,
    scale: Sequence[Level],
    templates: Mapping[str, Template],
    machinery: Machinery,
    stack: AsyncExitStack,
) -> EndpointJudge:
    """Reach a judge at its endpoints; ``stack`` keeps them open. Raises ServerError or EndpointError when it is not there."""
    clients = [
        await stack.enter_async_context(ModelClient(endpoint, api_key=machinery.api_key))
        for endpoint in judge.endpoints
    ]
    met = await meet(clients, retry=machinery.retry, load_timeout_s=machinery.serve.load_timeout_s)
    # A llama-cpp-python server works on one request at a time, and the others only wait in its queue.
    each = None if met.capabilities.counts_tokens is False else 1
    client = Balanced(met.clients, fixed=machinery.concurrency, each=each)
    grader = _grader_of(judge, scale, templates, machinery)(client, met.capabilities.dialect, None)
    bench = EndpointJudge(judge.name, client, grader, machinery.budget)
    for line in met.left_out:
        bench.tell(line)
    if met.absent:
        # Imported here because all endpoints are there, as a rule.
        from runner.latecomers import awaited

        await stack.enter_async_context(awaited(met, admit=bench.admit, tell=bench.tell, retry=machinery.retry))
    return bench


def _grader_of(
    judge: JudgeRecord, scale: Sequence[Level], templates: Mapping[str, Template], machinery: Machinery
) -> MakeGrader:
    def grader(client: Asks, dialect: Dialect, log: ServerLog | None) -> Grader:
        return Grader(client, dialect, templates, scale, judge.sampling, machinery.retry, log)

    return grader


def judge_arm(judge: JudgeRecord) -> Arm:
    """Return the arm as which a local judge is served."""
    assert judge.model is not None and judge.serving is not None
    return build_arm(judge.name, judge.model, Config.parse(judge.config), judge.serving)
