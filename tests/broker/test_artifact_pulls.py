"""Pulls end with the right bytes whatever the network does, and ask a slow link for no more than it bears."""

from collections import deque
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.artifact_pulls import CHUNK_BYTES, REFUSALS, RETRY_FIRST_S, WINDOW, ArtifactPulls
from broker.artifacts import sha256_of
from broker.codec import Chunk
from broker.messages import ArtifactRequest

PATTERN = bytes(range(251)) * (6 * CHUNK_BYTES // 251 + 1)
sizes = st.sampled_from(
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 6 * CHUNK_BYTES - 5]
)


def pulling(*artifacts: bytes) -> ArtifactPulls:
    pulls = ArtifactPulls()
    for artifact in artifacts:
        pulls.begin(sha256_of(artifact), len(artifact))
    return pulls


def chunk_of(data: bytes, request: ArtifactRequest) -> Chunk:
    part = data[request.offset : request.offset + request.length]
    return Chunk(request.sha256, request.offset, len(data), part)


def honest(pulls: ArtifactPulls, artifacts: Iterable[bytes], now: float) -> list[bytes]:
    """Answer everything from now on; return the artifacts as they become whole."""
    by_hash = {sha256_of(data): data for data in artifacts}
    whole = []
    for step in range(100):
        then = now + 60.0 * step
        for request in pulls.requests(then):
            data = pulls.accept(chunk_of(by_hash[request.sha256], request), then)
            if data is not None:
                whole.append(data)
    return whole


@given(st.lists(sizes, min_size=1, max_size=3, unique=True), st.data())
def test_pulls_survive_whatever_happens_to_their_chunks(
    lengths: list[int], data: st.DataObject
) -> None:
    artifacts = {sha256_of(PATTERN[:size]): PATTERN[:size] for size in lengths}
    pulls = pulling(*artifacts.values())
    now, under_way, got = 0.0, list[Chunk](), set[str]()
    for _ in range(data.draw(st.integers(0, 12))):
        now += data.draw(
            st.sampled_from([0.0, RETRY_FIRST_S / 2, RETRY_FIRST_S, 8 * RETRY_FIRST_S])
        )
        asked = pulls.requests(now)
        assert len(asked) <= WINDOW
        under_way += [chunk_of(artifacts[request.sha256], request) for request in asked]
        for chunk in data.draw(st.permutations(under_way)):
            match data.draw(
                st.sampled_from(["arrives", "twice", "late", "lost", "corrupt", "foreign"])
            ):
                case "late":
                    continue
                case "lost":
                    under_way.remove(chunk)
                    continue
                case "corrupt":
                    come = Chunk(chunk.sha256, chunk.offset, chunk.total, bytes(len(chunk.data)))
                case "foreign":
                    come = Chunk("f" * 64, chunk.offset, chunk.total, chunk.data)
                case "twice":
                    come = chunk
                case _:
                    under_way.remove(chunk)
                    come = chunk
            whole = pulls.accept(come, now)
            if whole is not None:
                assert whole == artifacts[come.sha256]
                got.add(come.sha256)
    honestly = {sha256_of(each) for each in honest(pulls, artifacts.values(), now + 60.0)}
    # Corrupt too often; a corrupt chunk may have waited for the honest ones to show.
    hopeless = pulls.hopeless(now, 1e9).keys()
    assert honestly == artifacts.keys() - got - hopeless


def test_a_corrupt_artifact_is_refused_and_pulled_again_but_not_for_ever() -> None:
    artifact = PATTERN[:10]
    pulls = pulling(artifact)
    forged = bytes(10)
    for _ in range(REFUSALS):
        assert not pulls.hopeless(0.0, 10.0)
        (request,) = pulls.requests(0.0)
        assert pulls.accept(chunk_of(forged, request), 0.0) is None
    assert pulls.refused == REFUSALS
    assert pulls.requests(0.0) == []
    assert pulls.hopeless(0.0, 10.0) == {
        sha256_of(artifact): "what comes is not the artifact of this hash"
    }


def test_a_late_chunk_is_asked_for_again_after_twice_the_time_each_time() -> None:
    pulls = pulling(b"0123456789")
    asked_at = [tick / 8 for tick in range(8 * 40) if pulls.requests(tick / 8)]
    assert asked_at == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]


def test_what_was_asked_for_twice_measures_nothing() -> None:
    artifact = PATTERN[: 3 * CHUNK_BYTES]
    pulls = pulling(artifact)
    pulls.requests(0.0)
    (again,) = pulls.requests(RETRY_FIRST_S)
    pulls.accept(
        chunk_of(artifact, again), RETRY_FIRST_S
    )  # at once, so it is the first one's answer
    (_next,) = pulls.requests(RETRY_FIRST_S)
    assert pulls.requests(2.9 * RETRY_FIRST_S) == []


def test_the_window_opens_with_every_chunk_that_comes_soon_and_is_one_for_all() -> None:
    first, second = PATTERN[: 6 * CHUNK_BYTES], PATTERN[1 : 6 * CHUNK_BYTES]
    by_hash = {sha256_of(data): data for data in (first, second)}
    pulls = pulling(first, second)
    under_way = deque(pulls.requests(0.0))
    most = 0
    while under_way:
        most = max(most, len(under_way))
        request = under_way.popleft()
        pulls.accept(chunk_of(by_hash[request.sha256], request), 0.0)
        under_way += pulls.requests(0.0)
    assert most == WINDOW
    assert len(pulls) == 0


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk("1" * 64, 0, 10, b"0123456789"),
        Chunk("0" * 64, 0, 11, b"0123456789"),
        Chunk("0" * 64, 0, 10, b"012345678"),
        Chunk("0" * 64, 1, 10, b"123456789"),
        Chunk("0" * 64, CHUNK_BYTES, 10, b""),
    ],
    ids=["another hash", "another size", "too short", "not asked for", "beyond the end"],
)
def test_what_was_not_asked_for_changes_nothing(chunk: Chunk) -> None:
    pulls = ArtifactPulls()
    pulls.begin("0" * 64, 10)
    pulls.requests(0.0)
    assert pulls.accept(chunk, 5.0) is None
    assert (pulls.refused, pulls.chunks) == (0, 0)
    assert pulls.hopeless(10.0, 10.0)


def test_a_lying_size_costs_nothing() -> None:
    pulls = ArtifactPulls()
    pulls.begin("0" * 64, 2**62)
    assert len(pulls.requests(0.0)) == 1
    assert pulls.accept(Chunk("0" * 64, 0, 10, b"0123456789"), 0.0) is None


def test_pulls_are_hopeless_when_nothing_comes() -> None:
    artifact = PATTERN[: 2 * CHUNK_BYTES]
    pulls = pulling(artifact)
    assert not pulls.hopeless(100.0, 10.0)
    request = pulls.requests(100.0)[0]
    assert not pulls.hopeless(109.0, 10.0)
    pulls.accept(chunk_of(artifact, request), 109.0)
    pulls.requests(109.0)
    assert not pulls.hopeless(118.0, 10.0)
    assert pulls.hopeless(119.0, 10.0) == {sha256_of(artifact): "nobody sent the artifact"}


def test_what_waits_for_its_turn_is_not_hopeless() -> None:
    first, second = PATTERN[: 2 * CHUNK_BYTES], b"second"
    pulls = pulling(first, second)
    pulls.requests(0.0)
    assert pulls.hopeless(10.0, 10.0).keys() == {sha256_of(first)}
    pulls.end([sha256_of(first)])
    assert not pulls.hopeless(10.0, 10.0)
    (request,) = pulls.requests(10.0)
    assert request.sha256 == sha256_of(second)
    assert not pulls.hopeless(19.0, 10.0)
    assert pulls.hopeless(20.0, 10.0).keys() == {sha256_of(second)}


# --- slow links -----------------------------------------------------------------------------


class SlowLink:
    """One link that several nodes pull through: a chunk takes its bytes over the rate, one by one."""

    def __init__(self, bytes_per_s: float, data: bytes) -> None:
        self.bytes_per_s, self.data = bytes_per_s, data
        self.sent = 0
        self._queue: deque[tuple[float, int, Chunk]] = deque()
        self._free_at = 0.0

    def ask(self, who: int, request: ArtifactRequest, now: float) -> None:
        chunk = chunk_of(self.data, request)
        self._free_at = max(now, self._free_at) + len(chunk.data) / self.bytes_per_s
        self._queue.append((self._free_at, who, chunk))
        self.sent += len(chunk.data)

    def arrived(self, now: float) -> list[tuple[int, Chunk]]:
        come = []
        while self._queue and self._queue[0][0] <= now:
            _, who, chunk = self._queue.popleft()
            come.append((who, chunk))
        return come


@pytest.mark.parametrize("bytes_per_s", [1e5, 1e6, 2e6, 1e8])
@pytest.mark.parametrize("nodes", [1, 4])
def test_a_slow_link_carries_hardly_anything_twice(bytes_per_s: float, nodes: int) -> None:
    data = PATTERN[: 6 * CHUNK_BYTES - 5]
    link = SlowLink(bytes_per_s, data)
    pulls = {who: pulling(data) for who in range(nodes)}
    now = 0.0
    while any(map(len, pulls.values())):
        for who, chunk in link.arrived(now):
            pulls[who].accept(chunk, now)
        for who, each in pulls.items():
            for request in each.requests(now):
                link.ask(who, request, now)
        now += 0.05
    once = nodes * len(data)
    # Only the first chunks come late, before anybody knows how slow the link is.
    assert link.sent <= once * (2.0 if bytes_per_s < 1e6 else 1.25)
    assert now <= 0.5 + 1.15 * link.sent / bytes_per_s


# --- several that have it -------------------------------------------------------------------


def test_when_a_holder_is_late_the_next_one_is_asked_and_soon() -> None:
    pulls = ArtifactPulls()
    data = PATTERN[: 2 * CHUNK_BYTES]
    pulls.begin(sha256_of(data), len(data), ("dead", "gone", "here"))
    asked = []
    for now in range(4):
        asked += [request.holder for request in pulls.requests(float(now))]
    assert asked == ["dead", "gone", "here", "dead"]


def test_a_holder_of_a_corrupt_copy_is_asked_last() -> None:
    pulls = ArtifactPulls()
    pulls.begin(sha256_of(b"good"), 4, ("bad", "better"))
    (request,) = pulls.requests(0.0)
    assert pulls.accept(Chunk(request.sha256, 0, 4, memoryview(b"evil")), 0.1) is None
    (request,) = pulls.requests(0.2)
    assert request.holder == "better"
    assert pulls.accept(Chunk(request.sha256, 0, 4, memoryview(b"good")), 0.3) == b"good"


def test_an_artifact_that_nobody_has_keeps_no_other_waiting() -> None:
    pulls = pulling(b"lost", b"had")
    (first,) = pulls.requests(0.0)
    assert first.sha256 == sha256_of(b"lost")
    (second,) = pulls.requests(2.0)
    assert second.sha256 == sha256_of(b"had")


def test_who_comes_later_is_asked_too_and_whoever_is_being_asked_goes_on() -> None:
    pulls = ArtifactPulls()
    pulls.begin(sha256_of(b"data"), 4, ("first", "second"))
    (request,) = pulls.requests(0.0)
    pulls.offer(request.sha256, ("third", "first"))
    asked = [request.holder for now in (2.0, 4.0) for request in pulls.requests(now)]
    assert asked == ["third", "first"]
