"""Made-up logs of cameras: twenty answers a second, and what a test changes of them."""

from collections.abc import Sequence

from benchmarks.chaos.records import Answer, CameraRecord, RunRecord

FPS = 20.0
STRUCK = 1000.0


def answers(
    first: int, last: int, *, missing: tuple[str, ...] = (), late_s: float = 0.0
) -> list[Answer]:
    """Return the answers to frames ``first`` to ``last``; frame 40 is answered when the fault strikes."""
    return [
        Answer(frame, 1, STRUCK + (frame - 40) / FPS + late_s, 0.02, missing)
        for frame in range(first, last)
    ]


def camera(
    *pieces: Sequence[Answer], sent: int | None = None, killed: bool = False
) -> CameraRecord:
    """Return a camera whose log is these pieces; it sent as many frames as were answered, or ``sent``."""
    log = [answer for piece in pieces for answer in piece]
    count = len({answer.frame_id for answer in log}) if sent is None else sent
    summary = {
        "sent": count,
        "resent": 0,
        "gave_up": count > len(log),
        "mixed_epochs": 0,
        "lost": 0,
    }
    return CameraRecord("door", FPS, None if killed else summary, log)


def run(*cameras: CameraRecord, until: float = STRUCK + 10.0) -> RunRecord:
    """Return a run of these cameras in which the fault struck at ``STRUCK``."""
    return RunRecord(STRUCK, STRUCK, until, cameras)
