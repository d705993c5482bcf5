"""Where the page of `inspect` goes: never among the pictures."""

from pathlib import Path


def destination(data: str, out: Path | None) -> Path:
    """Return where the page of a data set is written, by default beside where the command runs.

    Raises:
        ValueError: that is within the data set's folder, or no file can be there.
    """
    folder = Path(data).resolve() if Path(data).is_dir() else None
    name = f"{(folder.name if folder else data) or 'pictures'}-inspect.html"
    if out is None:
        here = Path(name)
        if folder is not None and _within(here, folder):
            return folder.parent / name  # the command runs in the folder itself
        return here
    if folder is not None and _within(out, folder):
        raise ValueError(f"--out {out}: lies among the pictures; name a file elsewhere")
    if out.is_dir():
        raise ValueError(f"--out {out}: is a folder; name a file in it")
    if not out.parent.is_dir():
        raise ValueError(f"--out {out}: there is no folder {out.parent}")
    return out


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder)
