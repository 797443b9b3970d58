"""Forks workers and keeps them alive: one that ends, however it ends, is replaced; the others serve on."""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

logger = logging.getLogger(__name__)

STEADY_SECONDS = 5.0  # a worker that lived this long was no failed start
FAILED_STARTS = 3  # for each worker, in a row; then starting again is no cure
LONGEST_PAUSE = 5.0
STOP_SECONDS = 6.0
_SET_PDEATHSIG = 1  # prctl's PR_SET_PDEATHSIG


class Workers:
    """`count` processes that each run `work`."""

    def __init__(self, count: int, work: Callable[[], None]) -> None:
        """Nothing is started before `run`."""
        self._count, self._work = count, work
        self._began: dict[int, float] = {}
        self._failed = 0
        self._stopping = False

    def run(self) -> bool:
        """Keep the workers alive until SIGTERM or SIGINT; returns whether it ended because none could start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for _ in range(self._count):
            self._fork()
        while self._began:
            pid, status = os.wait()
            began = self._began.pop(pid, None)
            if began is None or self._stopping:
                continue
            if self._gives_up(pid, status, time.monotonic() - began):
                self._end_all()
                return True
            self._fork()
        return False

    def _gives_up(self, pid: int, status: int, lived: float) -> bool:
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._failed = 0 if lived >= STEADY_SECONDS else self._failed + 1
        logger.warning("Worker %s ended (%s) after %.1f s; another one takes its place.", pid, how, lived)
        if self._failed >= FAILED_STARTS * self._count:
            return True
        if self._failed > self._count:
            time.sleep(min(LONGEST_PAUSE, 0.1 * 2**self._failed))
        return False

    def _fork(self) -> None:
        if self._stopping:
            return
        parent = os.getpid()
        if pid := os.fork():
            self._began[pid] = time.monotonic()
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            _end_with(parent)
            self._work()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            logger.exception("A worker failed.")
        finally:
            logging.shutdown()
            sys.stdout.flush()
            os._exit(code)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Ask all workers to finish; those that do not are ended by `SIGALRM` a little later."""
        self._stopping = True
        self._signal_all(signal.SIGTERM)
        signal.signal(signal.SIGALRM, lambda *_: self._signal_all(signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)

    def _end_all(self) -> None:
        self._stopping = True
        self._signal_all(signal.SIGKILL)
        while self._began:
            pid, _ = os.wait()
            self._began.pop(pid, None)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in list(self._began):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def _end_with(parent: int) -> None:
    """Die when the parent dies, however it dies."""
    ctypes.CDLL(None, use_errno=True).prctl(_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def parent_is_stopped() -> bool:
    """Whether somebody has stopped the main process (SIGSTOP): a bot that is to stand still stands still as a whole."""
    try:
        with open(f"/proc/{os.getppid()}/stat", "rb") as file:
            state = file.read(512).rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state in (b"T", b"t")
