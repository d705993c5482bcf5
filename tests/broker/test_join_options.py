"""One set of options for every command, read from its signature."""

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from broker.access.joining import PASSWORD, Joined
from broker.command_line import application, say
from broker.join_options import connection, joins
from tests.broker.secured_broker import SITE, SecuredBroker

app = application("Joins.")


@app.callback()
def _group() -> None:
    pass


@app.command()
@joins("node", "operator")
def look(joined: Joined, name: str, often: Annotated[int, typer.Option()] = 1) -> None:
    """Look."""
    with connection(joined, joined.client_id("someone")) as bus:
        say(f"{name} {often} {joined.site} {bus.url}")


@app.command()
@joins(signs=True)
def sign(joined: Joined, key: Annotated[Path | None, typer.Option("--key")] = None) -> None:
    """Sign."""
    say(f"{joined.credentials.key} {key}")


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def refused(*arguments: str, **environment: str) -> str:
    result = run(*arguments, **environment)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def test_a_join_file_alone(secured: SecuredBroker) -> None:
    result = run("look", "here", "--often", "2", "--join", str(secured.join_file("node", "pi")))
    assert result.stdout == f"here 2 {SITE} {secured.url()}\n"


def test_by_hand_with_the_password_from_the_environment(secured: SecuredBroker) -> None:
    options = ["--broker", secured.url(), "--ca", str(secured.authority.file), "--user", "anna"]
    result = run("look", "here", *options, **{PASSWORD: secured.credentials("anna").password or ""})
    assert result.stdout == f"here 1 home {secured.url()}\n"


def test_a_refusal_is_one_line(secured: SecuredBroker) -> None:
    file = secured.join_file("node", "pi", password="wrong")  # noqa: S106 - on purpose
    assert "it does not let 'node/pi' in" in refused("look", "here", "--join", str(file))
    file.chmod(0o644)
    assert "chmod 600" in refused("look", "here", "--join", str(file))
    assert "is of a camera; this wants one of a node or an operator" in refused(
        "look", "here", "--join", str(secured.join_file("camera", "door"))
    )
    assert "site: 'A' is not an id" in refused("look", "here", "--site", "A")


@pytest.mark.parametrize(
    "arguments",
    [
        ["look", "here", "--broker", "mqtt://me:Zq7secret@h"],
        ["look", "here", "--broker", "me:Zq7secret@h"],
        ["look", "here", "mqtt://me:Zq7secret@h"],
        ["look", "here", "--borker=mqtt://me:Zq7 secret@h"],
    ],
)
def test_no_refusal_shows_a_password(arguments: list[str]) -> None:
    assert "Zq7" not in refused(*arguments)


def test_a_command_that_signs_has_a_key_of_its_own(secured: SecuredBroker) -> None:
    certificate, key = secured.authority.issue("carl", client=True)
    options = ["--broker", "mqtts://h", "--cert", str(certificate), "--cert-key", str(key)]
    assert run("sign", *options, "--key", "operator").stdout == f"{key} operator\n"
    assert "the key of --cert, which is missing" in refused(
        "look", "here", "--broker", "mqtts://h", "--key", str(key)
    )


def test_what_others_made_up_does_not_reach_the_terminal() -> None:
    assert "\x1b" not in refused("look", "here", "--site", "\x1b[31mred\n")
