"""Who we are to a broker, and how we know that it is ours."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password, and the certificates of a TLS connection; never shown.

    ``ca`` is PEM text: the authority that the broker's certificate is to be of; None means those that
    the system trusts. ``certificate`` and ``key`` are files with our own certificate, for brokers
    that ask for one.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None


NOBODY = Credentials()
"""Who has no credentials: enough for an open broker."""
