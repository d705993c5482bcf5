"""Where a broker listens."""

import socket


class EngineError(Exception):
    """A broker cannot run; the sentence says why."""


def free_port(host: str, port: int) -> int:
    """Return ``port`` if it can be listened on, or any free one for 0.

    Raises:
        EngineError: the port is busy, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen()
            return int(probe.getsockname()[1])
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(f"cannot listen on {host} port {port}: {reason}") from error


def reachable_host(host: str) -> str:
    """Return the address at which this machine reaches a listener on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def own_address() -> str:
    """Return the address at which other machines see this one, as far as it knows."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # nothing is sent: it only asks for the route
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()
