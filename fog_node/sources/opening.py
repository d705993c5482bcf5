"""From the text of ``--source`` to the source that it names."""

from pathlib import Path

from fog_node.sources.folder import open_files
from fog_node.sources.named import NAMES, open_named
from fog_node.sources.source import Source
from fog_node.sources.video import SCHEMES, open_video


def open_source(text: str, offset: int = 0) -> Source:
    """Return the source that ``text`` names, beginning at picture ``offset``, over and over.

    ``mnist`` and ``fashion`` give their held-out pictures with labels; a folder gives its
    pictures in the order of their names, the label being the name of the folder they lie in;
    a file is one picture; ``webcam:0`` and ``rtsp://…`` need OpenCV.

    Raises:
        SourceError: there is nothing there, in one sentence.
    """
    if text.startswith(SCHEMES):
        return open_video(text)
    if text in NAMES:
        return open_named(text, offset)
    return open_files(Path(text), offset)
