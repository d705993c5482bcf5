"""What the coordinator's log says of a deployment, as it stands in the log."""

import pytest

from broker.access.redaction import redacted
from broker.messages import Status
from broker.topics import STATUS
from coordinator.fog.news import News
from tests.coordinator.fog.toys import NAME, SITE

SERVING = Status(
    deployment=NAME,
    revision=1,
    phase="serving",
    epoch=3,
    placement={"branch0-stage0": "pi-hall", "fusion": "pi-shed"},
)


def logged(caplog: pytest.LogCaptureFixture, *statuses: Status) -> list[str]:
    caplog.set_level("INFO", "fog-coordinator")
    news = News(SITE)
    for status in statuses:
        news.published(STATUS.at(SITE, deployment=NAME), status.encode())
    return [redacted(line) for line in caplog.messages]


def test_who_runs_what_survives_the_redaction_of_logins(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(caplog, SERVING) == [
        "digits: serving, epoch 3: branch0-stage0 on pi-hall, fusion on pi-shed"
    ]


def test_a_reason_stands_before_what_is_wrong(caplog: pytest.LogCaptureFixture) -> None:
    degraded = SERVING.model_copy(update={"reason": "no room", "degraded": "pi-hall is gone"})
    waiting = Status(deployment=NAME, revision=1, phase="fetching")
    assert logged(caplog, waiting, degraded, degraded) == [
        "digits: fetching",
        "digits: serving, epoch 3: no room; degraded: pi-hall is gone",
    ]
