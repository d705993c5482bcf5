"""``--motion``, which may stand with or without a level."""

from collections.abc import Sequence
from typing import Any, Final

from typer.core import TyperCommand

from fog_node.camera.motion import LEVEL

OPTION: Final = "--motion"


class MotionCommand(TyperCommand):
    """A command with the option ``--motion [LEVEL]``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, with the level filled in where there is none."""
        return super().parse_args(ctx, with_level(args))


def with_level(args: Sequence[str]) -> list[str]:
    """Return arguments in which every ``--motion`` has a level."""
    filled: list[str] = []
    for position, argument in enumerate(args):
        filled.append(argument)
        alone = position + 1 == len(args) or args[position + 1].startswith("--")
        if argument == OPTION and alone:
            filled.append(f"{LEVEL:g}")
    return filled
