"""What a search file will cost, as far as its sizes and the speed of this machine tell; pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from coordinator.forecast.raspberry_pi import PI_4_CORE_MACS_PER_S, alone_s, spread_s
from coordinator.progress import duration
from coordinator.search.config import SearchConfig
from evolution.cost import NetworkShape, branch_macs, total_macs

START_S: Final = 6.0
"""Until the evaluator processes have torch and the pictures: measured on two cores that others used too."""


@dataclass(frozen=True, slots=True)
class FrameCost:
    """Seconds a frame on devices, of the densest and of the smallest network."""

    devices: str
    densest_s: float
    smallest_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known of a search before it begins; seconds are forecasts, at most and about.

    frame_bytes: of an uncompressed frame. macs: of a picture. share: of the heaviest branch.
    networks: to be measured, at most. training_s: of one candidate. search_s, winner_s: of the
    search and of the winner's training; None where they were not asked for.
    """

    input: tuple[int, int, int]
    frame_bytes: int
    smallest_macs: int
    densest_macs: int
    share: float
    frames: tuple[FrameCost, ...]
    networks: int = 0
    training_s: float | None = None
    search_s: float | None = None
    winner_s: float | None = None

    @property
    def seconds(self) -> float:
        """All of it."""
        return (self.search_s or 0.0) + (self.winner_s or 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {**asdict(self), "seconds": self.seconds}

    def lines(self) -> tuple[str, ...]:
        """Return it for people."""
        channels, height, width = self.input
        kind = "grey" if channels == 1 else "colour"
        low, high = self.smallest_macs / 1e6, self.densest_macs / 1e6
        lines = [
            f"input: {width}x{height} {kind}, {self.frame_bytes:,} bytes a frame",
            f"networks: {low:.1f} to {high:.1f} million MACs a picture, {self.share:.0%} in the largest branch",
        ]
        lines += [
            f"a frame {each.devices}: {_milliseconds(each.smallest_s, each.densest_s)} (predicted)"
            for each in self.frames
        ]
        if self.search_s is not None and self.training_s is not None:
            what = f"{self.networks} trainings of {duration(self.training_s)}, in all "
            lines.append(
                f"forecast: up to {what if self.networks > 1 else ''}{duration(self.search_s)} of search"
            )
        if self.winner_s is not None:
            lines.append(f"forecast: up to {duration(self.winner_s)} to train the winner")
        return tuple(lines)


def sizes(config: SearchConfig, shape: NetworkShape) -> Forecast:
    """Return what the sizes alone tell: nothing is measured."""
    densest, smallest = config.dense(), config.smallest(shape)
    channels, height, width = shape.input
    assumed = f"{PI_4_CORE_MACS_PER_S / 1e9:g} GMAC/s assumed"
    pis = [
        FrameCost(
            f"on one core of a Raspberry Pi 4 ({assumed})",
            alone_s(densest, shape),
            alone_s(smallest, shape),
        )
    ]
    if config.space.branches > 1:
        pis.append(
            FrameCost(
                f"with a branch on each of {config.space.branches} of them, without their network",
                spread_s(densest, shape),
                spread_s(smallest, shape),
            )
        )
    return Forecast(
        input=shape.input,
        frame_bytes=channels * height * width,
        smallest_macs=total_macs(smallest, shape),
        densest_macs=total_macs(densest, shape),
        share=max(branch_macs(densest, shape)) / total_macs(densest, shape),
        frames=tuple(pis),
    )


def training_seconds(pictures: int, epochs: int, picture_s: float) -> float:
    """Return the seconds that a training takes at most: it may end early."""
    return pictures * epochs * picture_s


def search_seconds(networks: int, processes: int, training_s: float) -> float:
    """Return the seconds that so many trainings take, shared out over processes."""
    return START_S + -(-networks // processes) * training_s


def _milliseconds(low_s: float, high_s: float) -> str:
    low, high = 1000 * low_s, 1000 * high_s
    return f"{low:.3g} ms" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g} ms"
