"""``cameras.yaml``: the cameras of one process, checked before anything is opened."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from broker.files.file_model import FileModel
from broker.ranges import MOST_SECONDS, Id
from fog_node.camera.motion import KEEP_ALIVE_S, LEVEL, Motion
from fog_node.camera.settings import FPS, Pace
from fog_node.sources.mqtt import MOST_CAMERAS, SCHEME
from fog_node.sources.opening import check_source, is_live
from fog_node.sources.source import SourceError
from fog_node.sources.topic_ids import has_wildcard

MOST_FRAMES: Final = 10**15
_Seconds = Annotated[float, Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]
_Text = Annotated[str, Field(min_length=1, max_length=4096)]


def _motion(value: Any) -> bool | float:
    """Return whether only what moved is sent, or the share that has to; 1 is a share, not "yes"."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and 0 <= value <= 1:
        return float(value)
    raise ValueError("is true, false, or the share of the picture that has to change, 0 to 1")


class CameraEntry(FileModel):
    """One camera: what it shows, and to which deployments."""

    id: Id | None = None
    source: _Text | None = None
    source_env: _Text | None = None
    """The variable of the environment that holds the source, for one with a password."""
    deployments: Annotated[tuple[Id, ...], Field(min_length=1, max_length=16)]
    fps: Annotated[float, Field(ge=0.01, le=1000, allow_inf_nan=False)] | None = None
    every: _Seconds | None = None
    motion: Annotated[bool | float, BeforeValidator(_motion)] = False
    keep_alive: _Seconds = KEEP_ALIVE_S
    delivery: Literal["live", "reliable"] = "live"
    count: Annotated[int, Field(ge=1, le=MOST_FRAMES)] | None = None
    offset: Annotated[int, Field(ge=0, le=MOST_FRAMES)] = 0
    join: Path | None = None
    source_broker: _Text | None = None
    source_password_env: _Text | None = None
    source_password_file: Path | None = None
    source_ca: Path | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.source is None) == (self.source_env is None):
            raise ValueError("one of source and source_env says where the pictures come from")
        if self.fps is not None and self.every is not None:
            raise ValueError("fps and every are two ways to say one thing; leave one of them out")
        if len(set(self.deployments)) < len(self.deployments):
            raise ValueError("deployments: one is there twice")
        if self.source_password_env is not None and self.source_password_file is not None:
            raise ValueError("source_password_env and source_password_file: leave one of them out")
        if self.source is not None:
            self.checked(self.source)
        return self

    def checked(self, source: str) -> str:
        """Return the source, which is the entry's or what its variable holds.

        Raises:
            ValueError: the entry does not fit it; one sentence.
        """
        try:
            check_source(source)
        except SourceError as error:
            raise ValueError(f"source: {error}") from None
        over_mqtt = source.startswith(SCHEME)
        several = over_mqtt and has_wildcard(source.removeprefix(SCHEME))
        if several and (self.id is not None or self.join is not None):
            raise ValueError(
                "id: the wildcards of the source name the cameras; leave id and join out"
            )
        if not several and self.id is None and self.join is None:
            raise ValueError("id: is missing; so is join, which would bring it")
        if self.source_broker is not None and not over_mqtt:
            raise ValueError(f"source_broker: is for a source {SCHEME}TOPIC-FILTER")
        if self.source_broker is None and (self.source_password_env or self.source_password_file):
            raise ValueError("source_broker: is missing, to which the password would be given")
        if self.join is not None and over_mqtt and self.source_broker is None:
            raise ValueError(
                "source_broker: is missing; in a closed fog a camera may read no topics but its own"
            )
        return source

    @property
    def pace(self) -> Pace:
        """Which of its pictures are sent."""
        level = LEVEL if self.motion is True else float(self.motion)
        fps = self.fps or (1.0 / self.every if self.every is not None else FPS)
        return Pace(
            fps=fps,
            delivery=self.delivery,
            motion=None if self.motion is False else Motion(level, self.keep_alive),
            count=self.count,
        )


class CamerasFile(FileModel):
    """The broker, where no option names it, and the cameras."""

    broker: _Text | None = None
    site: Id | None = None
    cameras: Annotated[tuple[CameraEntry, ...], Field(min_length=1, max_length=MOST_CAMERAS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [entry.id for entry in self.cameras if entry.id is not None]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"cameras: id {name} is there twice")
        joins = [entry.join for entry in self.cameras if entry.join is not None]
        for join in joins:
            if joins.count(join) > 1:
                raise ValueError(
                    f"cameras: join {join} is there twice; a join file is of one camera"
                )
        return self


def check_sources(sources: list[tuple[str, str | None]]) -> None:
    """Refuse a camera that is opened twice, for it can have one reader only; each with its broker, if any.

    Raises:
        ValueError: there is one.
    """
    live = [each for each in sources if is_live(each[0])]
    if len(set(live)) < len(live):
        raise ValueError(
            "cameras: two have the same source; give one of them the deployments of both"
        )
