"""The command ``learn``: from a folder of pictures to a bundle and a report."""

from pathlib import Path
from typing import Annotated

import typer

from broker.command_line import Json, refuse, say, say_json
from broker.ending import Ended, ended_by_signals
from coordinator.files import FileError
from coordinator.picture_options import Colour, Crop, Data, Fit, Size
from coordinator.progress import progress


def learn(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder for the bundle and the report.")],
    size: Size = None,
    colour: Colour = "auto",
    crop: Crop = None,
    fit: Fit = "stretch",
    name: Annotated[
        str | None, typer.Option(help="The bundle's name; default: that of the pictures.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**53, help="The same seed gives the same network.")
    ] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="To train for; default: what suits the pictures."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was ended.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what it would cost and compute nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at pictures, search a network for them, train it, write the bundle and a report.

    Example: fog-coordinator learn pictures/bin --out bin
    """
    from coordinator.inspect.wanted import wanted as options
    from coordinator.learn.destination import Destination
    from coordinator.learn.learning import carry_out, plan
    from coordinator.search.input import InputConfig

    destination = Destination(out)
    try:
        with ended_by_signals(), progress() as told:
            if not dry_run:
                destination.check(data, resume=resume)
            wanted = InputConfig.of(options(size, colour, crop, fit))
            ready = plan(data, wanted, seed, name, epochs=epochs, tell=told.tell)
            if dry_run:
                if as_json:
                    say_json(ready.forecast.as_dict())
                else:
                    say(*ready.lines())
                return
            if not as_json:
                say(*ready.lines())
            done = carry_out(ready, destination, told, resume=resume)
    except (FileError, ValueError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"{error.filename or out}: {error.strerror}")
    except Ended as ended:
        refuse(f"{out}: ended; --resume goes on with what is measured", ended.code)
    if as_json:
        say_json(done.result)
    else:
        say(*done.lines, f"bundle: {destination.bundle}", f"report: {destination.report}")
