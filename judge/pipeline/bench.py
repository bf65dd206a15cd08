"""A judge that can be asked: served here and kept up, or reached at its endpoint."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from judge.pipeline.shared import Machinery, launch_of
from judge.records import JudgeRecord, RunRecord
from judge.store import Store
from judge.types import JudgeFailure, Judgement
from runner.arms import build_arm
from runner.client import ModelClient
from runner.dialects import Dialect
from runner.probe import check_model, probe
from runner.serve import RunningServer
from runner.supervise import Supervised, supervised
from runner.types import Arm, Config

Grading = Callable[[ModelClient], Awaitable[Judgement | JudgeFailure]]


@dataclass
class OpenJudge:
    """A judge that can be asked."""

    dialect: Dialect
    client: ModelClient
    kept: Supervised | None = None
    """The server, when one was started here."""

    async def ask(self, grade: Grading) -> Judgement | JudgeFailure:
        """Grade; when the server dies of it, once more on a new one. Raises ServerError when it died too often."""
        if self.kept is None:
            return await grade(self.client)
        return await self.kept.ask(lambda _, client: grade(client), good=_says_nothing_of_the_server)


def _says_nothing_of_the_server(outcome: Judgement | JudgeFailure) -> bool:
    return isinstance(outcome, Judgement) or outcome.kind != "endpoint"


async def open_judge(
    run: RunRecord, judge: JudgeRecord, store: Store, machinery: Machinery, stack: AsyncExitStack
) -> OpenJudge:
    """Serve the judge or reach its endpoint; ``stack`` keeps it open."""
    if judge.model is None:
        assert judge.endpoint is not None
        client = await stack.enter_async_context(ModelClient(judge.endpoint, api_key=machinery.api_key))
        await check_model(client)
        return OpenJudge((await probe(client, retry=machinery.retry)).dialect, client)
    arm = judge_arm(judge)
    dialects: list[Dialect] = []

    async def prepare(server: RunningServer, client: ModelClient) -> None:
        store.add_launch(run.id, arm, launch_of(server))
        dialects.append((await probe(client, retry=machinery.retry)).dialect)

    log = machinery.folder / "logs" / f"judge_{judge.name}.log"
    kept = await stack.enter_async_context(supervised(arm, judge.model, log, prepare=prepare, options=machinery.serve))
    return OpenJudge(dialects[-1], kept.client, kept)


def judge_arm(judge: JudgeRecord) -> Arm:
    """Return the arm as which a local judge is served."""
    assert judge.model is not None and judge.serving is not None
    return build_arm(judge.name, judge.model, Config.parse(judge.config), judge.serving)
