"""Where ``fog-node`` and ``fog-camera`` begin; see `broker.entry`."""

from collections.abc import Callable

from broker.entry import run_command


def fog_node() -> None:
    """Begin ``fog-node``."""

    def load() -> Callable[..., object]:
        from fog_node.commands import node_app

        return node_app

    run_command("fog-node", load)


def fog_camera() -> None:
    """Begin ``fog-camera``."""

    def load() -> Callable[..., object]:
        from fog_node.camera.commands import camera_app

        return camera_app

    run_command("fog-camera", load)
