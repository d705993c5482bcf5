"""Where ``fog-coordinator`` begins; see `broker.entry`."""

from collections.abc import Callable

from broker.entry import run_command


def fog_coordinator() -> None:
    """Begin ``fog-coordinator``."""

    def load() -> Callable[..., object]:
        from coordinator.commands import app

        return app

    run_command("fog-coordinator", load)
