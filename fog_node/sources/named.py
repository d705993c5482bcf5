"""The held-out pictures of a data set that has a name, with their labels."""

import itertools
from typing import Final

from fog_node.sources.finite import FiniteSource
from fog_node.sources.source import Picture, SourceError
from pictures.dataset import load
from pictures.errors import DatasetError

NAMES: Final = ("mnist", "fashion")


def open_named(name: str, offset: int) -> FiniteSource:
    """Return the pictures of a data set, beginning at picture ``offset``, over and over.

    Raises:
        SourceError: what holds them is not installed.
    """
    try:
        test = load(name)
    except DatasetError as error:
        raise SourceError(str(error)) from None
    count = len(test.test)
    order = itertools.islice(itertools.cycle(range(count)), offset % count, None)
    pictures = (
        Picture(test.test.pixels[index], test.classes[test.test.labels[index]], f"{name}/{index}")
        for index in order
    )
    return FiniteSource(pictures, count)
