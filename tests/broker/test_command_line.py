"""A refusal is one plain line on stderr and exit code 2, whatever was wrong."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from broker.command_line import application, refuse

app = application("Counts.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def count(upto: int, *, step: int = 1) -> None:
    """Count."""
    if step > upto:
        refuse("step: is more than upto")
    if step == 0:
        refuse("step: is not zero")
    if upto == 7:
        raise ModuleNotFoundError(name="torch")
    if upto == 8:
        raise KeyError("a mistake of ours")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing command"),
        (["none"], "'none'"),
        (["count"], "upto"),
        (["count", "x"], "upto"),
        (["count", "3", "--stop", "1"], "--stop"),
        (["count", "3", "--step", "0"], "step: is not zero"),
        (["count", "7"], "torch is not installed"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], says: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert says in line


def test_what_is_right_ends_with_zero_and_help_helps() -> None:
    assert CliRunner().invoke(app, ["count", "3"]).exit_code == 0
    helped = CliRunner().invoke(app, ["--help"])
    assert helped.exit_code == 0
    assert "Counts." in helped.stdout


def test_a_mistake_of_ours_is_not_dressed_up_as_one_of_theirs() -> None:
    assert isinstance(CliRunner().invoke(app, ["count", "8"]).exception, KeyError)


def test_what_is_printed_is_with_its_reader_though_the_process_is_ended_at_once() -> None:
    """A command that was told to stop is ended after its time, whatever it is at."""
    command = "import os; from broker.command_line import say_json; say_json({'a': 1}); os._exit(1)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=False)
    assert done.stdout == b'{"a": 1}\n'
