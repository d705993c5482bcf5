"""What a bundle is called when nobody says; pure."""

import re
from pathlib import Path
from typing import Final

FALLBACK: Final = "pictures"
_LONGEST: Final = 64


def bundle_name(data: str) -> str:
    """Return what a data set's name makes of small letters, digits and hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", Path(data).resolve().name.lower()).strip("-")
    return plain[:_LONGEST].strip("-") or FALLBACK
