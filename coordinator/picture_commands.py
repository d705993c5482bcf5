"""The command ``inspect``: what is in a data set, before anything is computed."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from broker.command_line import Json, refuse, say, say_json, warn
from broker.ending import Ended, ended_by_signals
from coordinator.files import write_text
from coordinator.picture_options import Colour, Crop, Data, Fit, Size
from coordinator.progress import progress


def inspect(
    data: Data,
    out: Annotated[
        Path | None,
        typer.Option(help="The page; default: NAME-inspect.html here, none with --json."),
    ] = None,
    size: Size = None,
    colour: Colour = "auto",
    crop: Crop = None,
    fit: Fit = "stretch",
    as_json: Json = False,
) -> None:
    """Look at pictures: counts, what is skipped and why, copies, the split, what a network sees.

    Example: fog-coordinator inspect pictures/bin
    """
    from coordinator.inspect.destination import destination
    from coordinator.inspect.findings import find_out
    from coordinator.inspect.page import page
    from coordinator.inspect.wanted import wanted
    from pictures.errors import DatasetError

    try:
        with ended_by_signals(), progress() as told:
            asked = wanted(size, colour, crop, fit)
            path = None if as_json and out is None else destination(data, out)
            found = find_out(data, asked, told.tell)
            if path is not None:
                write_text(path, page(found))
    except (DatasetError, ValueError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"--out {out or ''}: {error.strerror}")
    except Ended as ended:
        refuse(f"{data}: ended before all pictures were read", ended.code)
    if as_json:
        say_json(found.as_dict())
        return
    say(*found.lines())
    for warning in found.dataset.warnings:
        warn(warning)
    say(
        f"page: {path}",
        f"next: fog-coordinator learn {quote(data)} --out {quote(f'{found.dataset.name}-learned')}",
    )
