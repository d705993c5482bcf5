"""hypothesis strategies of this folder: networks so small that exporting one takes seconds."""

from hypothesis import strategies as st

from evolution.cost import NetworkShape
from evolution.genome import Genome, Space
from tests.evolution.strategies import rngs


@st.composite
def networks(draw: st.DrawFn) -> tuple[Genome, NetworkShape]:
    """Every kind of genome: one branch or several, with and without exchange and widths."""
    nodes = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=3)))
    branches = draw(st.integers(1, 3))
    exchange = branches > 1 and len(nodes) > 1 and draw(st.booleans())
    widths = draw(st.integers(0, 2))
    channels = st.tuples(*[st.integers(1, 5)] * len(nodes))
    shape = NetworkShape(
        classes=draw(st.integers(2, 5)),
        input=(draw(st.sampled_from([1, 3])), draw(st.integers(8, 13)), draw(st.integers(8, 13))),
        channels=tuple(draw(channels) for _ in range(max(widths, 1))),
        kernel=draw(st.sampled_from([1, 3, 5])),
    )
    return Space(nodes, branches, exchange, widths).random(draw(rngs)), shape
