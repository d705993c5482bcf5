"""Where every command begins and ends: no traceback for a signal, from the first moment to the last.

Importing this module is nearly free. Until a command says otherwise (`broker.ending`) Ctrl-C and
SIGTERM end the process at once and silently, as they do any program: nothing is open yet, and no
Python code has to run first, not even in the middle of ``import torch``. At the end no thread that
is still in a long call holds up the process.
"""

import os
import signal
import sys
from collections.abc import Callable

_own = False


def run_command(name: str, load: Callable[[], Callable[..., object]]) -> None:
    """Run the application that ``load`` imports, as ``name``, and end the process with its exit code."""
    global _own  # noqa: PLW0603 - whose process this is, is said once
    _own = True
    code = 1
    try:
        _end_at_once_by_signals()
        load()(prog_name=name)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt as interrupt:
        code = getattr(interrupt, "code", 128 + signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader is gone
            code = code or 1
    os._exit(code)


def owns_process() -> bool:
    """Return whether this process began as a command, and is not one that only calls it, as tests do."""
    return _own


def _end_at_once_by_signals() -> None:
    # The first process of a container is spared the kernel's default, so it ends by its own hand.
    first = os.getpid() == 1
    if first or signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _exit if first else signal.SIG_DFL)
    if first:
        signal.signal(signal.SIGTERM, _exit)


def _exit(number: int, _frame: object) -> None:
    os._exit(128 + number)


def fog_broker() -> None:
    """Begin ``fog-broker``."""

    def load() -> Callable[..., object]:
        from broker.commands import app

        return app

    run_command("fog-broker", load)
