"""The options of ``inspect`` and ``learn``: which pictures, and what of each a network sees."""

from typing import Annotated, Literal

import typer

Data = Annotated[
    str,
    typer.Argument(help="A folder with a folder of pictures for each class; or mnist, fashion."),
]
Size = Annotated[
    str | None,
    typer.Option(help="Pixels of the longer side, or WIDTHxHEIGHT; default: at most 64."),
]
Colour = Annotated[
    Literal["auto", "grey", "colour"], typer.Option(help="auto: grey if all pictures are.")
]
Crop = Annotated[
    str | None,
    typer.Option(help="The zone to look at: LEFT,TOP,WIDTH,HEIGHT, shares of the picture."),
]
Fit = Annotated[
    Literal["stretch", "pad", "cover"],
    typer.Option(help="How a zone of another aspect fills the size."),
]
