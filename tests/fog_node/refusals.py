"""How a command refuses."""

from typer.testing import Result


def refused(result: Result) -> str:
    """Return the one line that a command ended with."""
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line
