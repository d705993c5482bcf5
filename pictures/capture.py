"""When a picture was taken, by EXIF or by its name, and its running number."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, Final

from PIL import Image

_EXIF_IFD: Final = 0x8769
_TIMES: Final = ((0x9003, 0x9291), (0x9004, 0x9292))  # DateTimeOriginal, then DateTimeDigitized
_EXIF_FORM: Final = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_NAME_FORM: Final = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.,T @]{0,3}(?:at )?"
    r"(\d\d)[-_.:h]?(\d\d)[-_.:m]?(\d\d)(?:[-_.]?(\d{3}))?(?!\d)"
)
_EPOCH_FORM: Final = re.compile(r"(?<!\d)(1\d{9})(?:\.(\d{1,9})|(\d{3}))?(?!\d)")
_NUMBER: Final = re.compile(r"(\d+)(?!.*\d)")


def exif_time(image: Image.Image) -> float | None:
    """Return when EXIF says an open picture was taken, None where it does not or makes no sense."""
    try:
        fields = image.getexif().get_ifd(_EXIF_IFD)
    except Exception:  # noqa: BLE001 - whatever is wrong with EXIF, the picture is there
        return None
    for moment, fraction in _TIMES:
        found = _EXIF_FORM.match(str(fields.get(moment, "")))
        if found and (seconds := _seconds(*found.groups())) is not None:
            return seconds + _fraction(fields.get(fraction))
    return None


def _fraction(told: Any) -> float:
    digits = str(told or "").strip(" \0")
    return float(f"0.{digits}") if digits.isascii() and digits.isdigit() else 0.0


def name_time(file: str) -> float | None:
    """Return when a picture was taken by its file name, as 20260103_141530 or 1767449730.25; else None."""
    stem = PurePosixPath(file).stem
    for found in _NAME_FORM.finditer(stem):
        *moment, milliseconds = found.groups()
        if (seconds := _seconds(*moment)) is not None:
            return seconds + int(milliseconds or 0) / 1000
    # The stem of 1767449730.25-cat.jpg is whole, that of 1767449730.25.jpg too: only .jpg is cut off.
    epoch = _EPOCH_FORM.search(stem)
    return float(f"{epoch[1]}.{epoch[2] or epoch[3] or 0}") if epoch else None


def running_number(file: str) -> tuple[str, int] | None:
    """Return the last number in a file's name, and all around it: equal for files of one series."""
    path = PurePosixPath(file)
    found = _NUMBER.search(path.stem)
    if found is None or len(found[1]) > 15:
        return None
    around = f"{path.parent}/{path.stem[: found.start()]}#{path.stem[found.end() :]}"
    return around, int(found[1])


def _seconds(*parts: str) -> float | None:
    """Return a moment in seconds; the camera's time zone is nobody's concern, only differences are."""
    try:
        return datetime(*(int(part) for part in parts), tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]
    except ValueError:
        return None
