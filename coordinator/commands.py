"""The command ``fog-coordinator``."""

import sys

import typer

from broker.command_line import error_console
from coordinator.design_commands import demo, place, search, train
from coordinator.fog_commands import deploy, redeploy, serve, status, undeploy

app = typer.Typer(
    help="Finds a network for your fog, trains it, places it on the nodes and keeps it served.",
    no_args_is_help=True,
)
for command in (search, train, place, serve, deploy, redeploy, status, undeploy, demo):
    app.command()(command)


def main() -> None:
    """Run the command; what only the extra brings is named in one line where it is missing."""
    try:
        app()
    except ModuleNotFoundError as error:
        error_console.print(
            f"error: {error.name} is not installed; pip install 'fogweave[coordinator]'",
            style="red", highlight=False, soft_wrap=True, markup=False,
        )  # fmt: skip
        sys.exit(2)
