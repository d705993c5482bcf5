"""What of each picture the networks see: the ``input:`` of a search file."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from broker.files.file_model import FileModel
from coordinator.forecast.deployable import check_frame
from coordinator.inspect.wanted import MOST, Colour, Shape, Wanted
from models.evaluator import framed
from pictures.dataset import Dataset, is_class_folders, load
from pictures.folders.class_folders import shape_within, suggested_shape
from pictures.folders.gathering import Tell, quietly
from pictures.framing import Crop, Fit, Framing

Side = Annotated[int, Field(ge=1, le=MOST)]


class InputConfig(FileModel):
    """Size, colour and zone of what the networks see; a bundle bears it, so that cameras do the same.

    size: the longer side, in pixels, with the pictures' own aspect; or width and height. By default
    what suits the pictures: their own size, scaled down to 64 pixels. crop: left, top, width and height of a zone, shares of
    the picture. fit: how the zone fills the size, see `pictures.framing.Framing`.
    """

    size: Side | tuple[Side, Side] | None = None
    colour: Colour = "auto"
    crop: Crop | None = None
    fit: Fit = "stretch"

    @field_validator("size", mode="before")
    @classmethod
    def _one_side_or_two(cls, value: object) -> object:
        pair = isinstance(value, list | tuple)
        sides = value if isinstance(value, list | tuple) else (value,)
        whole = all(type(side) is int and 1 <= side <= MOST for side in sides)
        if value is not None and not (whole and len(sides) == 1 + pair):
            raise ValueError(f"is the longer side or [width, height], in pixels from 1 to {MOST}")
        return value

    @model_validator(mode="after")
    def _within_the_picture(self) -> Self:
        _ = self.framing
        return self

    @property
    def framing(self) -> Framing:
        """The zone and how it fills the size."""
        return Framing(self.crop, self.fit)

    @classmethod
    def of(cls, options: Wanted) -> Self:
        """Return what the options of a command ask for."""
        framing = options.framing
        return cls(size=options.size, colour=options.colour, crop=framing.crop, fit=framing.fit)

    def shape(self, suits: Shape) -> Shape:
        """Return (C, H, W) of what the networks see where (C, H, W) suits the zone that is seen."""
        return Wanted(self.size, self.colour, self.framing).shape(suits)

    def load(self, dataset: str, tell: Tell = quietly) -> Dataset:
        """Load a data set as the networks see it: the one way to pictures for all who search and train.

        tell: told how many files are looked at, and read.

        Raises:
            DatasetError: there is no such data set, or it is of no use.
            ValueError: so large a frame could not be deployed.
        """
        shape = self.shape(_suits(dataset, self.framing, tell))
        check_frame(shape)  # before so many pixels are read
        return framed(dataset, shape, self.framing, tell)


_known: dict[tuple[str, Framing], Shape] = {}


def _suits(dataset: str, framing: Framing, tell: Tell) -> Shape:
    """Return (C, H, W) that suits the zone of a data set's pictures; each data set is looked at once."""
    if (dataset, framing) not in _known:
        _known.clear()
        _known[dataset, framing] = (
            suggested_shape(Path(dataset), framing, tell)
            if is_class_folders(dataset)
            else shape_within(load(dataset).shape, framing)
        )
    return _known[dataset, framing]
