"""Runs tasks in worker processes, one torch thread each, and tells what runs."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any

from copycost.audit._spec import AuditSpec, CellSpec
from copycost.errors import CopycostError

__all__ = ["Message", "Task", "run_tasks"]

_THREADS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Task:
    """One unit of work.

    Attributes
    ----------
    name : str
        Unique; shown while it runs.
    spec, cell, seed
        What to do: with a cell run it, without one prepare the target of the seed.
    after : str or None
        Name of the task that must have ended before.
    explore : bool
        Whether it looks at the data instead, and asks nothing.
    seconds : float
        Estimate of how long it takes.
    """

    name: str
    spec: AuditSpec
    seed: int
    cell: CellSpec | None = None
    after: str | None = None
    seconds: float = field(default=1.0, compare=False)
    explore: bool = False


@dataclass(frozen=True)
class Message:
    """What a worker says of its task: the stage that runs and the share of it that is done."""

    task: str
    stage: str
    share: float
    ended: bool = False


_queue: Any = None


def _start_worker(queue: Any, device: str) -> None:
    """Set a worker up: its device, one thread, no signals of its own, and no life beyond its parent's."""
    global _queue
    _queue = queue
    os.dup2(2, 1)  # what a target prints must not mix with the result
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    import torch

    from copycost.networks import use_device

    torch.set_num_threads(1)
    use_device(device)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()


def _die_with(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)


def _work(task: Task, out: Path, data_dir: Path | None) -> None:
    from copycost.audit._tasks import explore_data, prepare_target, run_one_cell

    last = 0.0

    def report(stage: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if share == 0.0 or now - last > 0.2:
            last = now
            _queue.put(Message(task.name, stage, share))

    with _memory_of_the_device():
        if task.explore:
            explore_data(task.spec, task.seed, out, data_dir, report)
        elif task.cell is None:
            prepare_target(task.spec, task.seed, out, data_dir, report)
        else:
            run_one_cell(task.spec, task.cell, out, data_dir, report)


@contextlib.contextmanager
def _memory_of_the_device() -> Iterator[None]:
    import torch

    from copycost.networks import device_name

    try:
        yield
    except torch.OutOfMemoryError:
        raise CopycostError(
            f"{device_name()} has too little memory for all workers. Finished cells are kept: run the same command "
            "again with --workers 1, a smaller batch in the schedule, or --device cpu."
        ) from None


def run_tasks(
    tasks: Sequence[Task],
    out: Path,
    data_dir: Path | None,
    *,
    workers: int,
    device: str,
    tell: Callable[[Message], None],
) -> None:
    """Run all tasks, each after the one it waits for, in the order given where there is a choice.

    Raises
    ------
    CopycostError
        The first error of a task; tasks that run are let finish, the others are not begun.
    """
    with _threads_of_workers():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["copycost.audit._tasks"])
        with _deaf_to_interrupts():
            multiprocessing.forkserver.ensure_running()
        queue, quiet = context.SimpleQueue(), threading.Event()
        listener = threading.Thread(target=_listen, args=(queue, quiet, tell), daemon=True)
        listener.start()
        pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(queue, device))
        try:
            _schedule(pool, list(tasks), out, data_dir, workers, tell)
        except (BrokenProcessPool, EOFError, ConnectionError):
            raise CopycostError(
                "a worker process was ended from outside, often because memory ran out. Finished cells are "
                "kept: run the "
                "same command again, with --workers 1 if memory is short."
            ) from None
        except BaseException:
            for process in list((pool._processes or {}).values()):
                process.kill()  # they are deaf to anything milder, and a ledger bears it
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            quiet.set()
            listener.join(timeout=5)


def _schedule(
    pool: ProcessPoolExecutor,
    waiting: list[Task],
    out: Path,
    data_dir: Path | None,
    workers: int,
    tell: Callable[[Message], None],
) -> None:
    ended: set[str] = set()
    running: dict[Future[None], Task] = {}
    failure: BaseException | None = None
    while running or (waiting and failure is None):
        ready = [task for task in waiting if task.after is None or task.after in ended]
        for task in ready[: 0 if failure else workers - len(running)]:
            waiting.remove(task)
            with _interrupts_after():
                running[pool.submit(_work, task, out, data_dir)] = task
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            ended.add(task.name)
            failure = failure or future.exception()
            tell(Message(task.name, "", 1.0, ended=True))
    if failure is not None:
        raise failure


def _listen(queue: Any, quiet: threading.Event, tell: Callable[[Message], None]) -> None:
    """Pass messages on until told to be quiet, not by a message: a killed worker may hold the queue's lock."""
    while True:
        if not queue.empty():
            tell(queue.get())
        elif quiet.wait(0.05):
            return


@contextlib.contextmanager
def _interrupts_after() -> Iterator[None]:
    """Put Ctrl-C off to the end of a block, such as one that starts a process, which must not be left half started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda found, frame: held.append(found)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if held:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let a process started in this block, and its children, ignore what its parent handles, from its first instant.

    Ctrl-C and a polite request to end often go to a whole group of processes; only the parent may act on them, as a
    worker that ended first would look like a crash.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _threads_of_workers() -> Iterator[None]:
    """Let the processes started in this block see one thread each; a library reads this once, when it is imported."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(_THREADS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
