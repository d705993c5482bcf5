"""Artifacts: a pull ends with the right bytes whatever the network does, and a bad file is no artifact."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.artifacts import CHUNK_BYTES, ArtifactPull, ArtifactStore, answer_requests, sha256_of
from broker.codec import Chunk, decode_chunk
from broker.memory_bus import MemoryBroker
from broker.messages import ArtifactRequest
from broker.topics import ARTIFACT_GET, NODE_ARTIFACT

RETRY_S = 1.0
PATTERN = bytes(range(251)) * (6 * CHUNK_BYTES // 251 + 1)
sizes = st.sampled_from(
    [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 6 * CHUNK_BYTES - 5]
)


def chunk_of(data: bytes, request: ArtifactRequest) -> Chunk:
    part = data[request.offset : request.offset + request.length]
    return Chunk(request.sha256, request.offset, len(data), part)


def honest(pull: ArtifactPull, data: bytes, now: float) -> bytes | None:
    """Answer everything from now on; return the artifact."""
    for step in range(100):
        for request in pull.requests(now + RETRY_S * step):
            whole = pull.accept(chunk_of(data, request), now)
            if whole is not None:
                return whole
    return None


@given(sizes, st.data())
def test_a_pull_survives_whatever_happens_to_its_chunks(size: int, data: st.DataObject) -> None:
    artifact = PATTERN[:size]
    pull = ArtifactPull(sha256_of(artifact), size, "me", RETRY_S)
    now, under_way = 0.0, list[Chunk]()
    for _ in range(data.draw(st.integers(0, 12))):
        now += data.draw(st.sampled_from([0.0, RETRY_S / 2, RETRY_S]))
        asked = pull.requests(now)
        assert len(asked) <= 4
        under_way += [chunk_of(artifact, request) for request in asked]
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
            whole = pull.accept(come, now)
            if whole is not None:
                assert whole == artifact
                return
    assert honest(pull, artifact, now + RETRY_S) == artifact


def test_a_corrupt_artifact_is_refused_and_pulled_again() -> None:
    artifact = PATTERN[: 2 * CHUNK_BYTES]
    pull = ArtifactPull(sha256_of(artifact), len(artifact), "me", RETRY_S)
    forged = b"x" + artifact[1:]
    for request in pull.requests(0.0):
        assert pull.accept(chunk_of(forged, request), 0.0) is None
    assert pull.refused == 1
    again = pull.requests(0.0)
    assert [request.offset for request in again] == [0, CHUNK_BYTES]
    assert [pull.accept(chunk_of(artifact, request), 0.0) for request in again] == [None, artifact]


def test_a_late_chunk_is_asked_for_again_and_no_earlier() -> None:
    pull = ArtifactPull("0" * 64, 10, "me", RETRY_S)
    assert len(pull.requests(0.0)) == 1
    assert pull.requests(RETRY_S / 2) == []
    assert len(pull.requests(RETRY_S)) == 1
    assert pull.requests(RETRY_S) == []


def test_few_chunks_are_under_way_at_a_time_and_the_next_follow() -> None:
    artifact = PATTERN[: 6 * CHUNK_BYTES]
    pull = ArtifactPull(sha256_of(artifact), len(artifact), "me", RETRY_S)
    first = pull.requests(0.0)
    assert [request.offset for request in first] == [n * CHUNK_BYTES for n in range(4)]
    pull.accept(chunk_of(artifact, first[2]), 0.0)
    assert [request.offset for request in pull.requests(0.0)] == [4 * CHUNK_BYTES]


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
    pull = ArtifactPull("0" * 64, 10, "me", RETRY_S)
    pull.requests(0.0)
    assert pull.accept(chunk, 5.0) is None
    assert (pull.refused, pull.last_progress) == (0, 0.0)


def test_a_lying_size_costs_nothing() -> None:
    pull = ArtifactPull("0" * 64, 2**62, "me", RETRY_S)
    assert len(pull.requests(0.0)) == 4
    assert pull.accept(Chunk("0" * 64, 0, 10, b"0123456789"), 0.0) is None


def test_a_pull_stalls_when_nothing_comes() -> None:
    artifact = PATTERN[: 2 * CHUNK_BYTES]
    pull = ArtifactPull(sha256_of(artifact), len(artifact), "me", RETRY_S)
    assert not pull.stalled(100.0, 10.0)
    request = pull.requests(100.0)[0]
    assert not pull.stalled(109.0, 10.0)
    pull.accept(chunk_of(artifact, request), 109.0)
    assert not pull.stalled(118.0, 10.0)
    assert pull.stalled(119.0, 10.0)


# --- the store ------------------------------------------------------------------------------


@given(data=st.binary(max_size=300))
def test_a_store_gives_what_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    store = ArtifactStore(tmp_path_factory.mktemp("store"))
    assert store.get(sha256_of(data)) is None
    assert store.put(data) == sha256_of(data)
    assert store.put(data) == sha256_of(data)
    assert store.get(sha256_of(data)) == data


def test_a_corrupt_file_is_no_artifact_and_goes(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "a" / "b")
    sha256 = store.put(b"the partition")
    path = tmp_path / "a" / "b" / sha256
    path.write_bytes(b"the partitio")
    assert store.get(sha256) is None
    assert not path.exists()


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ArtifactStore(tmp_path)

    def full(_path: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(b"the partition")
    assert list(tmp_path.iterdir()) == []


# --- whoever has it answers -----------------------------------------------------------------


def test_requests_are_answered_chunk_by_chunk_and_the_artifact_is_looked_up_once() -> None:
    artifact = PATTERN[: 3 * CHUNK_BYTES + 7]
    sha256 = sha256_of(artifact)
    looked_up: list[str] = []

    def find(wanted: str) -> bytes | None:
        looked_up.append(wanted)
        return artifact if wanted == sha256 else None

    with MemoryBroker() as broker:
        coordinator, node = broker.bus("coordinator"), broker.bus("node")
        got: list[Chunk] = []
        node.subscribe(
            NODE_ARTIFACT.at("home", node="me"),
            lambda message: got.append(decode_chunk(message.payload)),
        )
        answer_requests(coordinator, "home", find)
        pull = ArtifactPull(sha256, len(artifact), "me", RETRY_S)
        whole = None
        while whole is None:
            for request in pull.requests(0.0):
                node.publish(ARTIFACT_GET.at("home"), request.encode())
            broker.settle()
            for chunk in got:
                whole = whole or pull.accept(chunk, 0.0)
            got.clear()
    assert whole == artifact
    assert looked_up == [sha256]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        ArtifactRequest(sha256="0" * 64, offset=0, length=1, reply_to="me").encode(),
        ArtifactRequest(sha256=sha256_of(b"x"), offset=2, length=1, reply_to="me").encode(),
        ArtifactRequest(sha256=sha256_of(b"x"), offset=0, length=1, reply_to="a/+").encode(),
    ],
    ids=["empty", "no fields", "unknown hash", "beyond the end", "no id"],
)
def test_a_bad_request_is_not_answered(payload: bytes) -> None:
    with MemoryBroker() as broker:
        bus = broker.bus("coordinator")
        heard: list[str] = []
        bus.subscribe("#", lambda message: heard.append(message.topic))
        answer_requests(bus, "home", {sha256_of(b"x"): b"x"}.get)
        broker.settle()
        bus.publish(ARTIFACT_GET.at("home"), payload)
        broker.settle()
        assert heard == [ARTIFACT_GET.at("home")]
