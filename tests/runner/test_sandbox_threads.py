"""How an object of an answer stands calls from many threads at once."""

from sandboxes import behind_every_wall

from runner.protocol import Call, Handle, Threads
from runner.sandbox import Sandbox

LIMITER = """
import threading, time
class Racy:
    def __init__(self, n): self.left = n
    def allow_request(self):
        if self.left >= 1:
            self.left -= 1
            return True
        return False
class Locked(Racy):
    def __init__(self, n):
        super().__init__(n)
        self.lock = threading.Lock()
    def allow_request(self):
        with self.lock:
            return super().allow_request()
def fail(): raise RuntimeError("in a thread")
"""


async def allowed(name: str, seed: int) -> int:
    limiter = Handle()
    async with Sandbox(clock="fake") as sandbox:
        await sandbox.load(LIMITER)
        hammer = Call(target=limiter.method("allow_request"), threads=Threads(threads=8, calls=20, seed=seed))
        results = await sandbox.run([Call(target=name, args=(50,), keep=limiter), hammer])
    assert [len(answers) for answers in results[1].value] == [20] * 8, results[1]
    return sum(answer for answers in results[1].value for answer in answers)


async def test_hammering_shows_a_missing_lock_and_leaves_a_lock_in_peace() -> None:
    assert max([await allowed("Racy", seed) for seed in range(3)]) > 50
    assert [await allowed("Locked", seed) for seed in range(3)] == [50] * 3


@behind_every_wall
async def test_an_exception_in_a_thread_is_the_outcome_of_the_call() -> None:
    async with Sandbox() as sandbox:
        await sandbox.load(LIMITER)
        result = (await sandbox.run([Call(target="fail", threads=Threads(threads=4, calls=2))]))[0]
    assert (result.state, result.error.message) == ("raised", "in a thread")
