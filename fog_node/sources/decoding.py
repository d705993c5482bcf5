"""From the bytes of a picture file that came over the network to a picture, once it is wanted."""

from collections.abc import Callable

from fog_node.sources.newest import Size
from fog_node.sources.source import Pixels
from pictures.reading import decode_picture


def decoder(data: bytes, name: str) -> Callable[[Size], Pixels]:
    """Return what decodes ``data``; a refusal begins with ``name``."""
    return lambda at_least: decode_picture(data, name, at_least)
