"""The options of `learn` as an input of a search file; pure."""

import re
from typing import Any

from pydantic import ValidationError

from broker.first_fault import first_fault
from coordinator.search.input import InputConfig


def wanted_input(size: str | None, colour: str, crop: str | None, fit: str) -> InputConfig:
    """Return what options ask for.

    Raises:
        ValueError: one of them is no input; the sentence names the option.
    """
    fields: dict[str, Any] = {"colour": colour, "fit": fit}
    if size is not None:
        sides = re.fullmatch(r"(\d{1,6})(?:x(\d{1,6}))?", size.strip().lower())
        if sides is None:
            raise ValueError(
                f"--size {size}: is neither pixels of the longer side nor WIDTHxHEIGHT"
            )
        width, height = sides.groups()
        fields["size"] = int(width) if height is None else (int(width), int(height))
    if crop is not None:
        try:
            shares = tuple(float(share) for share in crop.split(","))
        except ValueError:
            shares = ()
        if len(shares) != 4:
            raise ValueError(f"--crop {crop}: is not LEFT,TOP,WIDTH,HEIGHT, shares of the picture")
        fields["crop"] = shares
    try:
        return InputConfig.model_validate(fields)
    except ValidationError as error:
        fault = first_fault(error, "").replace("Value error, ", "").removeprefix(": ")
        raise ValueError(f"--{fault}") from None
