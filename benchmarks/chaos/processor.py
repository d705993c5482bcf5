"""A weak processor: a process gets a share of a core, by the kernel's quota or by being stopped in turns.

The quota is cgroup v1's (root); its average holds, while single bursts may run on to the next tick.
Without it a thread suspends and resumes the process, which for the rest of the fog is the same.
"""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_ROOT: Final = Path("/sys/fs/cgroup/cpu")
PERIOD_US: Final = 20_000
_LEAST_US: Final = 1_000
_TURN_S: Final = 0.05


class Processors:
    """The shares given out, over periods of ``period_us``; all are taken back in the end."""

    def __init__(self, period_us: int = PERIOD_US) -> None:
        self._period_us = period_us
        self._groups: list[Path] = []
        self._turns: list[_Turns] = []
        self.by = (
            "quota" if os.access(_ROOT / "cpu.cfs_quota_us", os.F_OK) and _writable() else "turns"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.free()

    def limit(self, pid: int, share: float) -> None:
        """Let a process have this share of one core from now on."""
        if self.by == "turns":
            self._turns.append(_Turns(pid, share))
            return
        group = _ROOT / f"fogweave-chaos-{os.getpid()}-{pid}"
        group.mkdir(exist_ok=True)
        if group not in self._groups:
            self._groups.append(group)
        period_us = max(self._period_us, round(_LEAST_US / share))
        (group / "cpu.cfs_period_us").write_text(str(period_us))
        (group / "cpu.cfs_quota_us").write_text(str(round(period_us * share)))
        (group / "cgroup.procs").write_text(str(pid))

    def free(self) -> None:
        """Give every process the whole machine again."""
        for turns in self._turns:
            turns.end()
        self._turns.clear()
        for group in self._groups:
            for pid in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):  # it has just ended
                    (_ROOT / "cgroup.procs").write_text(pid)
            _remove(group)
        self._groups.clear()


class _Turns:
    """Suspends and resumes a process so that it runs for a share of the time."""

    def __init__(self, pid: int, share: float) -> None:
        self._pid, self._share = pid, share
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            while not self._over.is_set():
                os.kill(self._pid, signal.SIGSTOP)
                self._over.wait(_TURN_S * (1.0 - self._share))
                os.kill(self._pid, signal.SIGCONT)
                self._over.wait(_TURN_S * self._share)


def _writable() -> bool:
    probe = _ROOT / f"fogweave-chaos-{os.getpid()}-try"
    try:
        probe.mkdir()
    except OSError:
        return False
    _remove(probe)
    return True


def _remove(group: Path) -> None:
    for _ in range(50):  # the kernel takes a moment to let go of a process that has ended
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.02)
