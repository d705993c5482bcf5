"""Every option of every command: those that there have to be, and what they say to what they cannot take."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin

import pytest
from typer.models import OptionInfo
from typer.testing import CliRunner

from broker.commands import app as broker_app
from coordinator.commands import app as coordinator_app
from fog_node.camera.commands import camera_app
from fog_node.commands import node_app

APPS = {
    "fog-broker": broker_app,
    "fog-camera": camera_app,
    "fog-coordinator": coordinator_app,
    "fog-node": node_app,
}
ABSURD = ("many", "-1e99", "9" * 400, "")


def choosy() -> Iterator[tuple[str, str, str]]:
    """Yield program, command and option of every option that takes a number or one of some words."""
    for program, app in APPS.items():
        for command in app.registered_commands:
            assert command.callback is not None
            name = command.name or command.callback.__name__
            for parameter in inspect.signature(command.callback, eval_str=True).parameters.values():
                kinds, option = taken(parameter)
                if option is not None and not kinds & {str, Path, bool, list}:
                    yield program, name, option


def taken(parameter: inspect.Parameter) -> tuple[set[object], str | None]:
    """Return the types of a parameter and the option that it is, None for an argument."""
    kind, *about = get_args(parameter.annotation)
    info = next((each for each in about if isinstance(each, OptionInfo)), None)
    kinds = {get_origin(each) or each for each in get_args(kind) or (kind,)}
    if info is None:
        return kinds, None
    # Typer takes what stands first for the default, until it finds that this is an annotation.
    given = [str(name) for name in (info.default, *(info.param_decls or ()))]
    names = [name for name in given if name.startswith("--")]
    return kinds, names[0] if names else f"--{parameter.name.replace('_', '-')}"


def refused(program: str, *arguments: str) -> str:
    result = CliRunner().invoke(APPS[program], list(arguments))
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


def test_there_are_such_options() -> None:
    assert len(list(choosy())) > 12


@pytest.mark.parametrize(("program", "command", "option"), list(choosy()))
def test_what_an_option_cannot_take_is_said_with_its_name(
    program: str, command: str, option: str
) -> None:
    for value in ABSURD:
        for given in ([option, value], [f"{option}={value}"]):
            line = refused(program, command, *given)
            assert f"'{option}'" in line
            assert "Value error" not in line


@pytest.mark.parametrize("program", APPS)
def test_every_command_that_ends_by_itself_tells_programs_too(program: str) -> None:
    for command in APPS[program].registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        if name not in ("run", "serve"):
            parameters = inspect.signature(command.callback, eval_str=True).parameters.values()
            assert "--json" in [taken(parameter)[1] for parameter in parameters], name


def test_what_others_named_is_shown_as_it_is(tmp_path: Path) -> None:
    """No emoji, no markup, and nothing that a terminal acts on."""
    name = ":cat: [bold]x[/bold] \x1b[31m.json"
    line = refused("fog-coordinator", "place", str(tmp_path / name))
    assert f"{tmp_path}/:cat: [bold]x[/bold] \\x1b[31m.json: No such file" in line
