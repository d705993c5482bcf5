"""Runs the broker of a closed fog: TLS only, nobody without a password, and each with its own rights."""

import datetime as dt
import ssl
import sys
from collections.abc import Callable
from typing import Final

from broker.access.rights import PARTIES, Rights, rights_of
from broker.closed.authority import ClockError
from broker.closed.dynamic_security import UnknownDocumentError, users_of, with_rights
from broker.closed.folder import ClosedFog, ClosedFogError
from broker.closed.lock import Lock
from broker.engine.address import EngineError, reachable_host
from broker.engine.listener import Listener
from broker.engine.mosquitto import (
    default_settings,
    dynamic_security_plugin,
    program,
)
from broker.engine.mosquitto_process import Setup, mosquitto_user, run_mosquitto

_LOCK_S: Final = 2.0  # an enrolment that edits the users is over before


def serve_closed(fog: ClosedFog, host: str, ready: Callable[[Listener], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        EngineError: Mosquitto or its plugin is missing, did not start, or ended by itself.
        ClosedFogError: the folder cannot be used, or a broker runs on it already.
        ClockError: the clock cannot be right.
    """
    found = program()
    if found is None:
        raise EngineError("a closed fog needs mosquitto, and it is not on this machine")
    plugin = dynamic_security_plugin()
    try:
        lock = Lock.take(fog.lock, _LOCK_S)
    except OSError as error:
        raise ClosedFogError(f"{fog.lock}: {error.strerror}") from None
    if lock is None:
        raise ClosedFogError(f"a broker runs on {fog.folder} already")
    try:
        lock.note(host)
        reached = (reachable_host(host),)  # by `enrol` and `revoke`
        fog.renew(_now(), *reached)
        _renew_rights(fog)
        other = mosquitto_user()
        if other is not None:
            fog.give_to(*other)
        context = ssl.create_default_context(cadata=fog.authority_pem)
        context.check_hostname = False  # it is asked at the address that it listens on
        listener = Listener(host, fog.settings.port, context)
        settings = closed_settings(
            default_settings().read_text(encoding="utf-8"), listener, str(plugin)
        )
        setup = Setup(
            found,
            settings,
            listener,
            folder=fog.mosquitto,
            kept=(lock.descriptor,),
            refresh=lambda: _renewed(fog, *reached),
        )
        run_mosquitto(setup, lambda: ready(listener))
    finally:
        lock.free()


def _renew_rights(fog: ClosedFog) -> None:
    """Give every device the rights of its role as they are now: those of its enrolment may be of an earlier version.

    Raises:
        ClosedFogError: the file of users cannot be read; Mosquitto would run without, and let nobody in.
    """
    document = fog.read_users()

    def now(name: str) -> Rights | None:
        party, _, device = name.partition("/")
        known = next((each for each in PARTIES if each == party), None)
        return None if known is None else rights_of(known, device, fog.settings.site)

    try:
        users_of(document)
        renewed = with_rights(document, now)
    except UnknownDocumentError as error:
        raise ClosedFogError(f"{fog.users}: {error}") from None
    if renewed != document:
        fog.write_users(renewed)


def closed_settings(open_settings: str, listener: Listener, plugin: str) -> str:
    """Return our settings for a closed fog: those of an open one, without what lets anyone in."""
    kept = [line for line in open_settings.splitlines() if not line.startswith("allow_anonymous")]
    return "\n".join(
        [
            *kept,
            "allow_anonymous false",
            f"plugin {plugin}",
            "plugin_opt_config_file dynamic-security.json",
            f"listener {listener.port} {listener.host}",
            "certfile broker.pem",
            "keyfile broker.key",
            "",
        ]
    )


def _renewed(fog: ClosedFog, *also: str) -> bool:
    """Return whether the certificate was made anew: the machine's addresses changed, or its end is near."""
    try:
        return fog.renew(_now(), *also)
    except (ClosedFogError, ClockError) as error:
        sys.stderr.write(f"the broker's certificate stays as it is: {error}\n")
        return False


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
