"""The events of a frame, earliest first, as a binary heap in the arrays of a Bench; compiled."""

from evolution.placement.arrays import EVENTS, Bench
from evolution.placement.compiled import inlined


@inlined
def push(b: Bench, time: float, code: int) -> None:
    """Put an event on the heap: by time, then by code, so that ties follow the file."""
    at = b.counts[EVENTS]
    b.counts[EVENTS] += 1
    while at > 0:
        up = (at - 1) >> 1
        if b.time[up] < time or (b.time[up] == time and b.code[up] < code):
            break
        b.time[at], b.code[at] = b.time[up], b.code[up]
        at = up
    b.time[at], b.code[at] = time, code


@inlined
def pop(b: Bench) -> int:
    """Take the earliest event off the heap and return its code."""
    found = b.code[0]
    b.counts[EVENTS] -= 1
    size = b.counts[EVENTS]
    time, code = b.time[size], b.code[size]
    at = 0
    while True:
        low = 2 * at + 1
        if low >= size:
            break
        right = low + 1
        if right < size and (
            b.time[right] < b.time[low]
            or (b.time[right] == b.time[low] and b.code[right] < b.code[low])
        ):
            low = right
        if time < b.time[low] or (time == b.time[low] and code < b.code[low]):
            break
        b.time[at], b.code[at] = b.time[low], b.code[low]
        at = low
    b.time[at], b.code[at] = time, code
    return int(found)
