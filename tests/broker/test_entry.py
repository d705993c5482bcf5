"""From the first moment to the last: no signal makes a command print a traceback, no thread holds it up."""

import os
import signal
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from broker import entry
from tests.broker.processes import ended, line, started

SCRIPTS = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]["scripts"]
BEGIN = "from broker.entry import run_command; run_command('fog', lambda: app)"


def outcome(code: str) -> tuple[int, str, str]:
    with started("-c", code) as process:
        return ended(process)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_command_begins_with_an_import_that_is_nearly_free(name: str) -> None:
    module, _, function = SCRIPTS[name].partition(":")
    begin: Callable[[], None] = getattr(import_module(module), function)
    assert begin.__doc__ == f"Begin ``{name}``."
    code = (
        f"import sys; before = set(sys.modules); import {module}; print(set(sys.modules) - before)"
    )
    _, out, _ = outcome(code)
    for heavy in ("typer", "paho", "numpy", "psutil", "pydantic", "threading"):
        assert f"'{heavy}'" not in out


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_command_helps_and_refuses_by_its_own_name(name: str) -> None:
    module, _, function = SCRIPTS[name].partition(":")
    begin = f"import sys; from {module} import {function}; sys.argv[1:] = %r; {function}()"
    code, out, _ = outcome(begin % ["--help"])
    assert code == 0
    assert f"Usage: {name}" in out
    code, out, err = outcome(begin % ["no-such-command"])
    assert (code, out) == (2, "")
    assert "no-such-command" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("where", ["import", "run"])
def test_a_signal_before_a_command_has_opened_anything_ends_it_at_once_and_silently(
    number: signal.Signals, where: str
) -> None:
    code = f"""
def app(**_):
    print("begun", flush=True)
    __import__("threading").Event().wait()
from broker.entry import run_command
run_command("fog", {"app" if where == "import" else "lambda: app"})
"""
    with started("-c", code) as process:
        assert line(process) == "begun"
        process.send_signal(number)
        assert ended(process) == (-number, "", "")


def test_the_exit_code_is_the_commands_and_its_last_words_are_heard() -> None:
    for end, code in (("sys.exit(3)", 3), ("sys.exit()", 0), ("pass", 0), ("sys.exit('x')", 1)):
        app = f"import sys\ndef app(**_):\n    sys.stdout.write('bye')\n    {end}\n"
        assert outcome(app + BEGIN) == (code, "bye", "")


def test_a_mistake_of_ours_still_shows_where_it_was_made() -> None:
    code, _, err = outcome("def app(**_): raise KeyError('ours')\n" + BEGIN)
    assert code == 1
    assert "KeyError: 'ours'" in err


def test_no_thread_in_a_long_call_holds_up_the_end() -> None:
    app = """
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
def app(**_):
    ThreadPoolExecutor(1).submit(Event().wait)
    Thread(target=Event().wait).start()
"""
    assert outcome(app + BEGIN) == (0, "", "")


def test_the_first_process_of_a_container_hears_signals_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: dict[int, object] = {}
    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    entry._end_at_once_by_signals()
    assert taken.keys() == {signal.SIGINT, signal.SIGTERM}
    ends: list[int] = []
    monkeypatch.setattr(os, "_exit", ends.append)
    for number, handler in taken.items():
        assert callable(handler)
        handler(number, None)
    assert ends == [130, 143]
