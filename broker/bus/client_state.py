"""What a bus keeps from one connection to the next."""

import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from broker.access.credentials import Credentials
from broker.bus.connection_listeners import Listeners
from broker.bus.facts import BrokerFacts
from broker.bus.outbox import Outbox
from broker.bus.refusals import Refusals
from broker.bus.router import Router
from broker.bus.seam import Will
from broker.bus.url import BrokerUrl
from broker.bus.wakeup import Wakeup


@dataclass(slots=True, eq=False)
class ClientState:
    """Who we are, what we want to hear, and what waits to be said."""

    url: BrokerUrl
    client_id: str
    will: Will | None
    outbox: Outbox
    credentials: Credentials
    tls: ssl.SSLContext | None
    """How the broker is checked; None for a connection that is not encrypted."""
    router: Router = field(default_factory=Router)
    changes: deque[tuple[str, bool]] = field(default_factory=deque)
    """Filters that come (True) and go (False), which the broker has not been told of."""
    listeners: Listeners = field(default_factory=Listeners)
    refusals: Refusals = field(default_factory=Refusals)
    wakeup: Wakeup = field(default_factory=Wakeup)
    connected: bool = False
    facts: BrokerFacts | None = None
    """Of the broker of the last connection."""
    unanswered: deque[threading.Event] = field(default_factory=deque)
    """Set once all that was said and asked for before them is answered."""
    renewing: threading.Event = field(default_factory=threading.Event)
    """Set by whoever wants another connection than this one."""
    closing: threading.Event = field(default_factory=threading.Event)
    deadline: float = 0.0
    """Until when, once closing, we stay to say what waits (``time.monotonic``)."""

    def close(self, seconds: float) -> None:
        """Have the connection end, once all is said, within ``seconds``."""
        if not self.closing.is_set():
            self.deadline = time.monotonic() + seconds
            self.closing.set()
            self.wakeup.set()
