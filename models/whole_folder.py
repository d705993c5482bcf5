"""A folder that is written whole or not at all, and never over what is somebody else's."""

import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path


def check_folder(folder: Path, proof: str, parts: Collection[str]) -> None:
    """See that a folder can be written; one that is missing is not made yet.

    It may be empty, hold ``proof``, the file that such a folder has when it is complete, or nothing
    but ``parts``, which one that was never completed may have. Hidden files do not count. Raises
    ValueError for anything else in it, OSError when it cannot be written.
    """
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    with tempfile.TemporaryFile(dir=there):
        pass
    if there != folder or (folder / proof).is_file():
        return
    for name in sorted(each.name for each in folder.iterdir()):
        if not name.startswith(".") and name not in (*parts, "lost+found"):
            raise ValueError(f"is not empty, there is {name} in it; name a folder of its own")


def write_folder(folder: Path, files: Mapping[str, bytes], last: str) -> None:
    """Write files by their names, `/` included, all or none; raises OSError.

    What was there stays until all of them are written; then they take its place, ``last`` as the last.
    Whoever is ended meanwhile (by Ctrl-C, too) leaves the folder as it was.
    """
    home = folder if folder.is_dir() else folder.parent
    home.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=home))
    try:
        new = part / "new"  # made with the rights that folders have here, as mkdtemp's are not
        for name, data in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
        if folder.is_dir():
            _replace(folder, new, files, last)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _replace(folder: Path, new: Path, files: Collection[str], last: str) -> None:
    """Move files over those of the same name; in their folders nothing older stays beside them."""
    for name in sorted(files, key=lambda name: name == last):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        (new / name).replace(path)
    for inner in {(folder / name).parent for name in files} - {folder}:
        for path in inner.iterdir():
            if path.relative_to(folder).as_posix() not in files and path.is_file():
                path.unlink()
