"""hypothesis strategies: what a layout may be asked, on small sites of uneven fog nodes."""

from hypothesis import strategies as st

from broker.messages import Links, NodeInfo
from coordinator.fog.layout_request import LayoutRequest
from coordinator.fog.taken import Taken
from models.bundle import Bundle
from tests.coordinator.fog.toys import bundle, info

bundles: st.SearchStrategy[Bundle] = st.integers(1, 3).map(bundle)
rates = st.floats(0.5, 200.0)
links = st.builds(
    Links,
    uplink_bytes_per_s=st.floats(1e3, 1e8),
    downlink_bytes_per_s=st.floats(1e3, 1e8),
    latency_s=st.floats(0, 0.01),
)
takens = st.builds(
    Taken,
    processor=st.floats(0, 1.5),
    uplink_bytes_per_s=st.floats(0, 1e8),
    downlink_bytes_per_s=st.floats(0, 1e8),
    memory_bytes=st.integers(0, 1_000_000),
)


@st.composite
def sites(draw: st.DrawFn) -> dict[str, NodeInfo]:
    """Up to three fog nodes, each with memory for any toy."""
    names = sorted(draw(st.sets(st.sampled_from("abc"), min_size=1)))
    return {
        name: info(name, speed=draw(st.floats(1e8, 1e10))).model_copy(update={"links": draw(links)})
        for name in names
    }


@st.composite
def requests(draw: st.DrawFn) -> LayoutRequest:
    """A bundle on a site, with or without a rate; nothing else there."""
    return LayoutRequest(
        draw(bundles), draw(sites()), frames_per_s=draw(st.one_of(st.none(), rates))
    )
