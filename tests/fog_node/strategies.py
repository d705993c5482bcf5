"""hypothesis strategies of this folder: assignments an agent may be told, and what may happen to frames."""

from hypothesis import strategies as st

from broker.messages import AssignedPartition, Assignment, Phase
from tests.fog_node.scene import FUSE, LEFT, RIGHT, assignment, part

PARTS = (LEFT, RIGHT, FUSE, part("left-branch", ("input",), ("left",), version="2"))
phases: st.SearchStrategy[Phase] = st.sampled_from(["prepare", "serve", "retire"])


@st.composite
def partitions(draw: st.DrawFn) -> tuple[AssignedPartition, ...]:
    chosen = draw(st.lists(st.sampled_from(PARTS), unique_by=lambda each: each.id, max_size=3))
    return tuple(chosen)


@st.composite
def assignments(draw: st.DrawFn, epochs: st.SearchStrategy[int]) -> Assignment:
    phase = draw(phases)
    parts = () if phase == "retire" else draw(partitions())
    deployment = draw(st.sampled_from(["digits", "other"]))
    # Without names for its classes, an answer is the number of the class.
    return assignment(draw(epochs), *parts, phase=phase, deployment=deployment, classes=())


fates = st.lists(st.sampled_from(["answered", "lost", "answer lost", "twice", "late"]), max_size=60)
