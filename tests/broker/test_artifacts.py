"""Artifacts: a bad file is no artifact, what is needed stays, and who has one answers."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.artifact_giving import answer_nodes
from broker.artifact_pulls import CHUNK_BYTES, ArtifactPulls
from broker.artifacts import (
    ArtifactStore,
    Kept,
    answer_coordinator,
    sha256_of,
    superfluous,
)
from broker.bus.inbox import Inbox
from broker.bus.memory import MemoryBroker
from broker.codec import Chunk, decode_chunk
from broker.messages import ArtifactRequest
from broker.topics import CLIENT_GIVE, COORDINATOR_GET, NODE_ARTIFACT, NODE_GET

PATTERN = bytes(range(251)) * (6 * CHUNK_BYTES // 251 + 1)


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


def test_a_corrupt_file_is_no_artifact_and_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = ArtifactStore(tmp_path / "a" / "b")
    sha256 = store.put(b"the partition")
    path = tmp_path / "a" / "b" / sha256
    path.write_bytes(b"the partitio")
    assert store.get(sha256) is None
    assert not path.exists()
    assert path.with_suffix(".damaged").read_bytes() == b"the partitio"
    assert caplog.messages == [f"{path} is corrupt and now {sha256}.damaged"]


def test_a_file_is_known_by_its_size_without_a_look_into_it(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    sha256 = store.put(b"the partition")
    assert store.has(sha256, len(b"the partition"))
    assert not store.has(sha256, 1)
    assert not store.has(sha256_of(b"another"), 1)


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path / "store")
    sha256 = store.put(b"the partition")
    shutil.rmtree(tmp_path / "store")
    assert store.get(sha256) is None
    assert store.put(b"the partition") == sha256
    assert store.get(sha256) == b"the partition"


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


kept = st.builds(Kept, size=st.integers(0, 100), used_at=st.integers(0, 5).map(float))


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), kept),
    st.sets(st.sampled_from("abcdefgh")),
    st.integers(0, 300),
)
def test_what_is_needed_stays_and_of_the_rest_the_most_recent(
    files: dict[str, Kept], needed: set[str], limit: int
) -> None:
    gone = set(superfluous(files, needed, limit))
    assert not needed & gone
    recent = sorted(files.keys() - needed, key=lambda name: (files[name].used_at, name))[::-1]
    stays = len(recent) - len(gone)
    assert gone == set(recent[stays:])
    assert sum(files[name].size for name in recent[:stays]) <= limit
    assert not gone or sum(files[name].size for name in recent[: stays + 1]) > limit


def test_a_store_gives_up_what_nobody_used_for_longest(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    names = [store.put(data) for data in (b"first", b"needed", b"third")]
    for age, name in enumerate(reversed(names)):
        os.utime(tmp_path / name, (1000.0 - age, 1000.0 - age))
    assert store.get(names[0]) == b"first"  # used again, now the most recent
    store.give_up({names[1]}, limit_bytes=5)
    assert {path.name for path in tmp_path.iterdir()} == {names[0], names[1]}


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
        answer_nodes(coordinator, "home", find)
        pulls = ArtifactPulls()
        pulls.begin(sha256, len(artifact))
        whole = None
        while whole is None:
            for request in pulls.requests(0.0):
                node.publish(NODE_GET.at("home", node="me"), request.encode())
            broker.settle()
            for chunk in got:
                whole = whole or pulls.accept(chunk, 0.0)
            got.clear()
    assert whole == artifact
    assert looked_up == [sha256]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        ArtifactRequest(sha256="0" * 64, offset=0, length=1).encode(),
        ArtifactRequest(sha256=sha256_of(b"x"), offset=2, length=1).encode(),
    ],
    ids=["empty", "no fields", "unknown hash", "beyond the end"],
)
def test_a_bad_request_is_not_answered(payload: bytes) -> None:
    with MemoryBroker() as broker:
        bus = broker.bus("coordinator")
        answers: Inbox[str] = Inbox()
        bus.subscribe(NODE_ARTIFACT.every("home"), lambda message: answers.put(message.topic))
        answer_nodes(bus, "home", {sha256_of(b"x"): b"x"}.get)
        good = ArtifactRequest(sha256=sha256_of(b"x"), offset=0, length=1).encode()
        bus.publish(NODE_GET.at("home", node="me"), payload)
        bus.publish(NODE_GET.at("home", node="me"), good)
        bus.publish(NODE_GET.at("home", node="the-next"), good)
        # Whoever asked after it was answered, and once.
        asked = {answers.get(20.0), answers.get(20.0)}
        assert asked == {NODE_ARTIFACT.at("home", node=node) for node in ("me", "the-next")}
        broker.settle()
        assert answers.get(0) is None


def test_the_coordinator_is_answered_by_the_client_that_deploys_unless_it_asks_a_node() -> None:
    data = b"the partition"
    with MemoryBroker() as broker:
        coordinator, command = broker.bus("coordinator"), broker.bus("deploy")
        answers: list[str] = []
        for topic in (CLIENT_GIVE.every("home"), NODE_ARTIFACT.every("home")):
            coordinator.subscribe(topic, lambda message: answers.append(message.topic))
        answer_nodes(coordinator, "home", {sha256_of(data): data}.get)
        answer_coordinator(command, "home", "deploy", {sha256_of(data): data}.get)
        broker.settle()
        for holder in ("", "pi"):
            request = ArtifactRequest(
                sha256=sha256_of(data), offset=0, length=CHUNK_BYTES, holder=holder
            )
            coordinator.publish(COORDINATOR_GET.at("home"), request.encode())
        broker.settle()
    assert answers == [CLIENT_GIVE.at("home", client="deploy")]
