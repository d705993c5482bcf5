"""Whose word counts for what runs: anybody's, or only the operator's; pure.

A signature is looked at when something new is to run. What serves goes on when it expires.
"""

from collections.abc import Mapping

from broker.access.signature import Subject, holds
from broker.messages import Assignment, Signature


class Trust:
    """Trusts what is signed with the private half of ``operator_key``; without one, everything.

    ``revisions`` are the latest signed ones that served, by deployment: an older one is a replay.
    ``wall_s`` added to the seconds of ``now`` gives Unix seconds.
    """

    def __init__(
        self,
        operator_key: str | None = None,
        revisions: Mapping[str, int] | None = None,
        wall_s: float = 0.0,
    ) -> None:
        self._operator_key, self._wall_s = operator_key, wall_s
        self.revisions = dict(revisions or {})

    def refusal(
        self,
        signature: Signature | None,
        subject: Subject,
        artifacts: Mapping[str, str],
        now: float,
    ) -> str:
        """Return why something is not to be run, in one sentence; empty if it may be.

        ``artifacts`` are its partitions by the sha256 of their artifacts.
        """
        name = subject.deployment
        if self._operator_key is None:
            return ""
        if signature is None:
            return f"{name} is not signed; deploy it with --key"
        if not holds(signature, self._operator_key, subject):
            return f"{name} is not signed with the key of this fog's operator"
        unsigned = [artifacts[sha256] for sha256 in artifacts.keys() - set(signature.artifacts)]
        if unsigned:
            return f"partition {min(unsigned)} is not among what was signed as {name}"
        return self._outdated(signature, name, now)

    def refusal_of(self, assignment: Assignment, now: float) -> str:
        """Return why a fog node is not to run what it is assigned; empty if it may."""
        if not assignment.partitions:
            return ""
        if assignment.input is None:
            return f"{assignment.deployment} has partitions and no input"
        subject = Subject(
            assignment.deployment, assignment.classes, assignment.input, assignment.calibration
        )
        artifacts = {part.sha256: part.id for part in assignment.partitions}
        return self.refusal(assignment.signature, subject, artifacts, now)

    def serves(self, assignment: Assignment) -> bool:
        """Take note that a signed revision serves: no older one runs from now on. Whether that is news."""
        name, signature = assignment.deployment, assignment.signature
        if self._operator_key is None or signature is None:
            return False
        if signature.revision <= self.revisions.get(name, 0):
            return False
        self.revisions[name] = signature.revision
        return True

    def _outdated(self, signature: Signature, name: str, now: float) -> str:
        latest = self.revisions.get(name, 0)
        if signature.revision < latest:
            return f"revision {signature.revision} of {name} was replaced by {latest}"
        if now + self._wall_s >= signature.expires:
            return f"the signature of {name} has expired; sign it anew: redeploy {name} --key"
        return ""
