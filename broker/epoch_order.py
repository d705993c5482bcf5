"""The order of epochs, as of serial numbers (RFC 1982): later is what lies ahead by less than a window; pure.

Who reads an epoch has it from others. Were any larger number later, one message with the largest of
all would make everything after it old. So what is too far ahead is not later, but foreign.
"""

from typing import Final

from broker.ranges import MOST_COUNT

WINDOW: Final = 2**30


def is_later(epoch: int, than: int) -> bool:
    """Return whether an epoch follows another one."""
    return 0 < epoch - than <= WINDOW


def epoch_after(epoch: int) -> int:
    """Return the epoch that follows; after the largest of all they begin anew."""
    return epoch + 1 if epoch < MOST_COUNT else 1
