"""How a fog node ends that cannot end what it runs: at once, with a line, to be started again."""

import logging
import os
import sys
from typing import Final

from broker.entry import owns_process
from fog_node.quarantine import Quarantine
from fog_node.watchdog import Watched

_log = logging.getLogger("fog-node")

EXIT_CODE: Final = 75
"""EX_TEMPFAIL of sysexits.h: whoever started it is to start it again."""


def give_up(watched: Watched, quarantine: Quarantine) -> None:
    """End the process, so that its supervisor starts it without the artifact that does not end.

    The broker publishes the will of who is gone without a word. In a process that is not the fog node's
    own, as in tests, only the line is said.
    """
    quarantine.condemn(watched.sha256, f"{watched.what} {watched.reason}, and not when it was told")
    _log.critical("%s %s and cannot be ended; the fog node ends", watched.what, watched.reason)
    if owns_process():
        sys.stderr.flush()
        os._exit(EXIT_CODE)
