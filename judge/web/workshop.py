"""Where what takes long is computed: in a process of its own, so that no request waits for it, and kept until the store has moved on.

What is kept is shown only while the stamps of its runs are those that it was computed from; they are compared at every request.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from judge.store import Store
from judge.web.making import Made, Order, make, stamps

log = logging.getLogger("uvicorn.error")
KEPT = 48
"""Reports and the like that are kept; each takes about a megabyte."""
AHEAD = 16
"""Newest runs whose reports are computed before anybody asks."""
NICE = 10
"""How far the process steps back behind others: model servers may be timed on this machine."""


class Worker:
    """One process that computes one thing after the other; it starts with the first of them."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._processes: list[BaseProcess] = []

    def submit(self, where: str, order: Order) -> "Future[Made]":
        """Have something computed from the store at ``where``."""
        with _without_interrupts():
            try:
                return self._begin(where, order)
            except BrokenProcessPool:  # it was killed, for memory as a rule; what it had at hand has failed
                self._pool = None
                return self._begin(where, order)

    def _begin(self, where: str, order: Order) -> "Future[Made]":
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=_step_back)
        before = set(multiprocessing.active_children())
        future = self._pool.submit(make, where, order)
        self._processes += set(multiprocessing.active_children()) - before
        return future

    def stop(self) -> None:
        """End the process, whatever it is computing."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in self._processes:
                process.terminate()
        self._pool, self._processes = None, []


WORKER = Worker()
"""The one of this process: more of them would only take more memory."""


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that is started here never gets a Ctrl-C, which a terminal sends to all: this one is told, and ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _step_back() -> None:
    """In the worker: leave the machine to others, and end when the service is gone, however that came."""
    os.nice(NICE)
    threading.Thread(target=_end_with_service, daemon=True).start()


def _end_with_service() -> None:
    service = multiprocessing.parent_process()
    assert service is not None, "a worker is started by a service"
    service.join()
    os._exit(1)


class Workshop:
    """What was computed from one store, and what is being computed. Every method may be called from any thread."""

    def __init__(self, store: Store, worker: Worker = WORKER) -> None:
        self._store = store
        self._worker = worker
        self._lock = threading.Lock()
        self._kept: OrderedDict[Order, Made] = OrderedDict()
        self._begun: dict[Order, Future[Made]] = {}
        self._looked: dict[Order, tuple[str, ...]] = {}
        self._pulse: object = None
        self._quiet_looks = 0

    def current(self, order: Order) -> Made | None:
        """Return what was computed of the store as it is now; ``None``: it is being computed. Raises what broke, once."""
        stamp = stamps(self._store, order)
        with self._lock:
            self._collect(order)
            made = self._kept.get(order)
            if made is not None and made.stamp == stamp:
                self._kept.move_to_end(order)
                return made
            self._begin(order)
        return None

    def older(self, order: Order) -> Made | None:
        """Return what was computed last, whatever was written since."""
        with self._lock:
            return self._kept.get(order)

    def look_ahead(self) -> None:
        """Have computed what will be asked for: of finished runs, once nothing has been written since the last look.

        Runs that are still going on are left alone: computing would take from the machine what is being timed.
        """
        if not self._has_moved():
            return
        queued = self._store.queued_run_ids()
        for run_id in self._store.run_ids()[:AHEAD]:
            run, state = self._store.run(run_id)
            if state == "running":
                continue
            stamp = (self._store.stamp(run, state),)
            orders = [Order("report", (run_id,))] + [Order("labels", (run_id,))] * (run_id in queued)
            with self._lock:
                for order in orders:
                    self._look_at(order, stamp)

    def _has_moved(self) -> bool:
        """False once nothing was written between three looks: then there is nothing left to begin."""
        pulse = self._store.pulse()
        self._quiet_looks = self._quiet_looks + 1 if pulse == self._pulse else 0
        self._pulse = pulse
        return self._quiet_looks < 2

    def close(self) -> None:
        """End what is being computed, for all stores."""
        self._worker.stop()

    def _look_at(self, order: Order, stamp: tuple[str, ...]) -> None:
        try:
            self._collect(order)
        except Exception:
            log.exception("computing %s ahead broke", order.kind)
            return
        made = self._kept.get(order)
        settled = self._looked.get(order, stamp) == stamp
        self._looked[order] = stamp
        if settled and (made is None or made.stamp != stamp):
            self._begin(order)

    def _begin(self, order: Order) -> None:
        if order not in self._begun:
            self._begun[order] = self._worker.submit(self._store.where, order)

    def _collect(self, order: Order) -> None:
        future = self._begun.get(order)
        if future is None or not future.done():
            return
        del self._begun[order]
        self._kept[order] = future.result()
        self._kept.move_to_end(order)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
