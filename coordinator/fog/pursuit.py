"""How a deployment pursues what is wanted: its states, and what moves it from one to the next."""

from typing import Final, Literal

Pursuit = Literal["settled", "comparing", "wanted", "placing", "waiting", "preparing"]
Event = Literal[
    "revised",
    "overtaken",
    "broken",
    "reconsidered",
    "asked",
    "placed",
    "kept",
    "unplaceable",
    "changed",
    "refused",
    "ready",
]

TRANSITIONS: Final[dict[tuple[Pursuit, Event], Pursuit]] = {
    ("settled", "revised"): "wanted",
    ("settled", "overtaken"): "wanted",
    ("settled", "broken"): "wanted",
    ("settled", "reconsidered"): "comparing",
    ("comparing", "revised"): "wanted",
    ("comparing", "overtaken"): "wanted",
    ("comparing", "broken"): "wanted",
    ("comparing", "placed"): "preparing",
    ("comparing", "kept"): "settled",
    ("wanted", "asked"): "placing",
    ("placing", "revised"): "wanted",
    ("placing", "changed"): "wanted",
    ("placing", "placed"): "preparing",
    ("placing", "unplaceable"): "waiting",
    ("placing", "kept"): "settled",
    ("waiting", "revised"): "wanted",
    ("waiting", "changed"): "wanted",
    ("preparing", "revised"): "wanted",
    ("preparing", "overtaken"): "wanted",
    ("preparing", "broken"): "wanted",
    ("preparing", "refused"): "wanted",
    ("preparing", "ready"): "settled",
}
"""Whoever edits it edits the table in ``docs/protocol.md``, and a test compares the two. What is not in
it changes nothing.

    revised       another bundle is wanted, or the same placed anew
    overtaken     another coordinator used a later epoch, for which the fog nodes ended ours
    broken        a node of the latest epoch is gone, restarted, gave it up, or is not to be used any more
    reconsidered  the fleet is steady, or a node became slow, or the rate changed: is another layout better?
    asked         the placer was asked for a layout
    placed        there is a layout, and where it was compared it is much better
    kept          there is none so much better; or none instead of what serves, which is what is wanted
                  and has all its nodes, though one of them may be one that is not to be used
    unplaceable   there is no layout on the nodes at hand
    changed       the nodes that can be used are others
    refused       a node of the epoch in preparation failed, or got no further
    ready         all its nodes reported ready: `active` names it
"""
