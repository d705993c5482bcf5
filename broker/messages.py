"""The JSON payloads of the control plane: frozen, validated, readable with ``mosquitto_sub``.

``docs/protocol.md`` states every field, and a test compares it with these classes.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from broker.calibration import UNCALIBRATED, Calibration
from broker.payload import Payload
from broker.ranges import (
    MEGABYTE,
    MOST_CHUNK_BYTES,
    MOST_DEPLOYMENTS,
    Count,
    Entries,
    FramesPerSecond,
    Id,
    Label,
    Load,
    Name,
    Names,
    OptionalId,
    Priority,
    Rate,
    RunSeconds,
    Seconds,
    Sha256,
    Share,
    Text,
    Totals,
    Tree,
    UniqueNames,
    UnixSeconds,
    check_unique,
)
from broker.tensor_specs import AssignedInput, InputSpec

Phase = Literal["prepare", "serve", "retire"]
ReportStatus = Literal["fetched", "loaded", "ready", "failed"]
StatusPhase = Literal["fetching", "waiting", "preparing", "serving", "failed"]

ByDeployment: Any = Field(max_length=MOST_DEPLOYMENTS, default_factory=dict)
ONLINE, OFFLINE = b"online", b"offline"


class Links(Payload):
    """A node's link to the broker as it measured it: bytes per second and seconds one way."""

    uplink_bytes_per_s: Rate
    downlink_bytes_per_s: Rate
    latency_s: Seconds


class NodeInfo(Payload):
    """What a fog node is; ``session`` is new with every start and orders them."""

    session: Count
    version: Label
    hardware: Label
    cores: Count
    threads: Count
    memory_bytes: Count
    macs_per_s: Rate
    links: Links


class Beat(Payload):
    """A fog node's pulse, every second.

    ``counters`` are totals since its start. The rest is by deployment: ``answers`` and
    ``incomplete`` (totals of what its fusion answered, and of that without some branch),
    ``missing`` (how often by tensor), ``seconds`` (by partition, the median of its latest runs),
    ``response_s`` (the median age of the frames it answered lately) and ``cameras`` (how many they
    were of). ``echo_s`` is how long the broker takes to bring a message back: the last round trip, or
    the wait so far if that is longer.
    """

    MOST_BYTES: ClassVar[int] = MEGABYTE // 2

    session: Count
    sequence: Count
    epoch: Count
    load: Load
    queues: Totals
    counters: Totals
    echo_s: Seconds = 0.0
    answers: dict[Id, Count] = ByDeployment
    incomplete: dict[Id, Count] = ByDeployment
    missing: dict[Id, Annotated[dict[Name, Count], Entries]] = ByDeployment
    seconds: dict[Id, Annotated[dict[Name, RunSeconds], Entries]] = ByDeployment
    response_s: dict[Id, Seconds] = ByDeployment
    cameras: dict[Id, Count] = ByDeployment


class Signature(Payload):
    """The operator's word that artifacts may run as a deployment (``broker/access/signature.py``).

    ``revision`` is that of the spec it was made for: a fog node runs none older than the latest it
    saw. ``expires`` is in Unix seconds, ``value`` an Ed25519 signature.
    """

    revision: Count
    expires: Count
    artifacts: Annotated[tuple[Sha256, ...], Entries]
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class AssignedFusion(Payload):
    """How a fusion may answer without all of its inputs.

    ``patience_s`` is how long it waits for the rest once one input is there. ``first`` is empty, or
    this is the standby of that node's fusion: it answers the frames that the first does not.
    """

    min_inputs: Count
    patience_s: Seconds
    first: OptionalId = ""


class AssignedPartition(Payload):
    """One partition a fog node runs; ``priority`` orders those that are ready, highest first."""

    id: Name
    sha256: Sha256
    bytes: Count
    memory_bytes: Count
    inputs: UniqueNames
    outputs: UniqueNames
    priority: Priority
    fusion: AssignedFusion | None = None


class Assignment(Payload):
    """What one fog node is told of one epoch of a deployment.

    ``prepare``: fetch, load, subscribe, report ``ready``; frames of the epoch are served from
    then on. ``serve``: the epoch is active; older ones are drained. ``retire``: drain all of the
    deployment. An epoch that ``makes_room`` ends older ones of its deployment where they leave it
    too little memory. ``inputs`` come from the broker, ``outputs`` go to it; what stands in neither
    stays in the process. ``calibration`` tells a fusion how sure an answer is.
    """

    MOST_BYTES: ClassVar[int] = 3 * MEGABYTE
    PASSED_ON: ClassVar[bool] = True

    deployment: Id
    epoch: Count
    phase: Phase
    makes_room: bool = False
    classes: Names = ()
    input: InputSpec | None = None
    partitions: Annotated[tuple[AssignedPartition, ...], Entries] = ()
    inputs: Annotated[tuple[AssignedInput, ...], Entries] = ()
    outputs: Names = ()
    calibration: Calibration = UNCALIBRATED
    signature: Signature | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        check_unique(tuple(part.id for part in self.partitions))
        check_unique(tuple(spec.id for spec in self.inputs))
        return self


class Report(Payload):
    """How far a fog node is with an assignment; ``seconds`` by partition id, median of warm runs."""

    MOST_BYTES: ClassVar[int] = MEGABYTE

    session: Count
    deployment: Id
    epoch: Count
    status: ReportStatus
    reason: Text = ""
    seconds: Annotated[dict[Name, RunSeconds], Entries] = Field(default_factory=dict)


class ArtifactRequest(Payload):
    """Asks for ``length`` bytes of an artifact.

    A node asks the coordinator. The coordinator asks the node ``holder``, or if that is empty
    the client that deploys the artifact.
    """

    sha256: Sha256
    offset: Count
    length: Annotated[int, Field(ge=1, le=MOST_CHUNK_BYTES)]
    holder: OptionalId = ""


class Spec(Payload):
    """What is wanted: a bundle (its ``bundle.json``), placed anew with every ``revision``."""

    MOST_BYTES: ClassVar[int] = 3 * MEGABYTE
    PASSED_ON: ClassVar[bool] = True

    deployment: Id
    revision: Count
    bundle: Tree
    signature: Signature | None = None


class BundleName(Payload):
    """Which trained model it is."""

    name: Name
    version: Name


class Active(Payload):
    """The epoch that frames are stamped with, and what a camera needs to make them."""

    MOST_BYTES: ClassVar[int] = MEGABYTE

    deployment: Id
    epoch: Count
    bundle: BundleName
    classes: Names
    input: InputSpec
    fusion: Annotated[tuple[Id, ...], Field(max_length=16)] = ()
    """The fog nodes that answer: the first and, if there is one, its standby."""


class Predicted(Payload):
    """What a placement is expected to reach.

    ``response_s`` of a lone frame and its lower bound, the frames per second it keeps up with, and
    ``p95_s`` of the response with the cameras that there are, beside the other deployments.
    """

    response_s: Seconds
    lower_bound_s: Seconds
    frames_per_s: FramesPerSecond | None = None
    p95_s: Seconds | None = None


class Measured(Payload):
    """What a deployment reaches: seconds and frames per second of late, the share of incomplete answers."""

    response_s: Seconds
    frames_per_s: FramesPerSecond
    incomplete: Share


class Status(Payload):
    """How the coordinator fares with a deployment, for people and for ``deploy --wait``.

    ``since`` is when the phase began (Unix seconds); ``degraded`` says what is wrong with what
    serves, and ``slow`` why a fog node is used less or not at all.
    """

    MOST_BYTES: ClassVar[int] = 2 * MEGABYTE

    deployment: Id
    revision: Count
    phase: StatusPhase
    epoch: Count = 0
    since: UnixSeconds = 0.0
    reason: Text = ""
    degraded: Text = ""
    slow: Annotated[dict[Id, Text], Entries] = Field(default_factory=dict)
    placement: Annotated[dict[Name, Id], Entries] = Field(default_factory=dict)
    standby: OptionalId = ""
    predicted: Predicted | None = None
    measured: Measured | None = None


class HopTime(Payload):
    """Where the time of one frame went: one partition, by the clock of its node."""

    partition: Name
    node: Name
    queued_s: Seconds
    run_s: Seconds


class Result(Payload):
    """The answer to one frame; ``missing`` names the tensors that the fusion went without.

    ``label`` is the likeliest class; it is ``unknown`` whether the picture shows any of them where
    ``confidence`` is below the threshold of the bundle's calibration. ``age_s`` is how old the frame
    was, the ways over the links left out: clocks need not agree.
    """

    MOST_BYTES: ClassVar[int] = MEGABYTE

    deployment: Id
    camera: Id
    frame_id: Count
    source: Label
    label: Name
    confidence: Share
    unknown: bool = False
    epoch: Count
    missing: Names
    latency: Annotated[tuple[HopTime, ...], Entries]
    age_s: Seconds = 0.0
