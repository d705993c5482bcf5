"""The JSON payloads of the control plane: frozen, validated, readable with ``mosquitto_sub``.

``docs/protocol.md`` states every field, and a test compares it with these classes.
"""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seconds = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Phase = Literal["prepare", "serve", "retire"]
ReportStatus = Literal["fetched", "loaded", "ready", "failed"]
StatusPhase = Literal["fetching", "waiting", "preparing", "serving", "failed"]

ONLINE, OFFLINE = b"online", b"offline"


class MessageError(ValueError):
    """A control message that cannot be read, in one sentence naming the field."""


class Payload(BaseModel):
    """What all control messages have in common: frozen, JSON, unknown fields ignored.

    JSON knows neither infinity nor NaN, so no field holds them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def encode(self) -> bytes:
        """Return the payload as JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Return the message in ``payload``.

        Raises:
            MessageError: it is not JSON, or a field is missing or wrong.
        """
        return _decode(cls, payload)


M = TypeVar("M", bound=Payload)


def _decode(kind: type[M], payload: bytes) -> M:
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "payload"
        raise MessageError(f"{kind.__name__}: {field}: {first['msg']}") from None


class Links(Payload):
    """A node's link to the broker as it measured it: bytes per second and seconds one way."""

    uplink_bytes_per_s: Annotated[float, Field(gt=0)]
    downlink_bytes_per_s: Annotated[float, Field(gt=0)]
    latency_s: Seconds


class NodeInfo(Payload):
    """What a fog node is; ``session`` is new with every start and orders them."""

    session: Count
    version: str
    hardware: str
    cores: Count
    threads: Count
    memory_bytes: Count
    macs_per_s: Annotated[float, Field(gt=0)]
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

    session: Count
    sequence: Count
    epoch: Count
    load: float
    queues: dict[str, int]
    counters: dict[str, int]
    echo_s: Seconds = 0.0
    answers: dict[str, Count] = Field(default_factory=dict)
    incomplete: dict[str, Count] = Field(default_factory=dict)
    missing: dict[str, dict[str, Count]] = Field(default_factory=dict)
    seconds: dict[str, dict[str, Seconds]] = Field(default_factory=dict)
    response_s: dict[str, Seconds] = Field(default_factory=dict)
    cameras: dict[str, Count] = Field(default_factory=dict)


class CoordinatorBeat(Payload):
    """The coordinator's pulse, every second; of two coordinators the later ``session`` stays."""

    session: Count
    sequence: Count
    queues: dict[str, int]
    counters: dict[str, int]


class TensorSpec(Payload):
    """A tensor as it travels."""

    id: str
    shape: tuple[Count, ...]
    dtype: str
    bytes: Count


class InputSpec(Payload):
    """What the network takes: a picture p in [0, 1] as ``(p - mean) / std``.

    The shape is (1, C, H, W), with one mean and one standard deviation per channel.
    """

    name: str
    shape: tuple[Count, Count, Count, Count]
    dtype: str
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @model_validator(mode="after")
    def _channels_agree(self) -> Self:
        if not self.shape[1] == len(self.mean) == len(self.std):
            raise ValueError(f"{self.shape[1]} channels need as many of mean and std")
        if 0.0 in self.std:
            raise ValueError("std: a deviation of 0 cannot be divided by")
        return self


class Signature(Payload):
    """The operator's word that artifacts may run as a deployment (``broker/access/signature.py``).

    ``revision`` is that of the spec it was made for: a fog node runs none older than the latest it
    saw. ``expires`` is in Unix seconds, ``value`` an Ed25519 signature.
    """

    revision: Count
    expires: Count
    artifacts: tuple[Sha256, ...]
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class AssignedInput(TensorSpec):
    """A tensor that comes from the broker, and the fog node that makes it; empty: the cameras do."""

    node: str = ""


class AssignedFusion(Payload):
    """How a fusion may answer without all of its inputs.

    ``patience_s`` is how long it waits for the rest once one input is there. ``first`` is empty, or
    this is the standby of that node's fusion: it answers the frames that the first does not.
    """

    min_inputs: Count
    patience_s: Seconds
    first: str = ""


class AssignedPartition(Payload):
    """One partition a fog node runs; ``priority`` orders those that are ready, highest first."""

    id: str
    sha256: Sha256
    bytes: Count
    memory_bytes: Count
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    priority: float
    fusion: AssignedFusion | None = None


class Assignment(Payload):
    """What one fog node is told of one epoch of a deployment.

    ``prepare``: fetch, load, subscribe, report ``ready``; frames of the epoch are served from
    then on. ``serve``: the epoch is active; older ones are drained. ``retire``: drain all of the
    deployment. An epoch that ``makes_room`` ends older ones of its deployment where they leave it
    too little memory. ``inputs`` come from the broker, ``outputs`` go to it; what stands in neither
    stays in the process.
    """

    deployment: str
    epoch: Count
    phase: Phase
    makes_room: bool = False
    classes: tuple[str, ...] = ()
    input: InputSpec | None = None
    partitions: tuple[AssignedPartition, ...] = ()
    inputs: tuple[AssignedInput, ...] = ()
    outputs: tuple[str, ...] = ()
    signature: Signature | None = None


class Report(Payload):
    """How far a fog node is with an assignment; ``seconds`` by partition id, median of warm runs."""

    session: Count
    deployment: str
    epoch: Count
    status: ReportStatus
    reason: str = ""
    seconds: dict[str, Seconds] = Field(default_factory=dict)


class ArtifactRequest(Payload):
    """Asks for ``length`` bytes of an artifact.

    A node asks the coordinator. The coordinator asks the node ``holder``, or if that is empty
    the client that deploys the artifact.
    """

    sha256: Sha256
    offset: Count
    length: Annotated[int, Field(gt=0, le=1024 * 1024)]
    holder: str = ""


class Spec(Payload):
    """What is wanted: a bundle (its ``bundle.json``), placed anew with every ``revision``."""

    deployment: str
    revision: Count
    bundle: dict[str, Any]
    signature: Signature | None = None


class BundleName(Payload):
    """Which trained model it is."""

    name: str
    version: str


class Active(Payload):
    """The epoch that frames are stamped with, and what a camera needs to make them."""

    deployment: str
    epoch: Count
    bundle: BundleName
    classes: tuple[str, ...]
    input: InputSpec
    fusion: tuple[str, ...] = ()
    """The fog nodes that answer: the first and, if there is one, its standby."""


class Predicted(Payload):
    """What a placement is expected to reach.

    ``response_s`` of a lone frame and its lower bound, the frames per second it keeps up with, and
    ``p95_s`` of the response with the cameras that there are, beside the other deployments.
    """

    response_s: Seconds
    lower_bound_s: Seconds
    frames_per_s: Seconds | None = None
    p95_s: Seconds | None = None


class Measured(Payload):
    """What a deployment reaches: seconds and frames per second of late, the share of incomplete answers."""

    response_s: Seconds
    frames_per_s: Seconds
    incomplete: Annotated[float, Field(ge=0, le=1)]


class Status(Payload):
    """How the coordinator fares with a deployment, for people and for ``deploy --wait``.

    ``since`` is when the phase began (Unix seconds); ``degraded`` says what is wrong with what
    serves, and ``slow`` why a fog node is used less or not at all.
    """

    deployment: str
    revision: Count
    phase: StatusPhase
    epoch: Count = 0
    since: Seconds = 0.0
    reason: str = ""
    degraded: str = ""
    slow: dict[str, str] = Field(default_factory=dict)
    placement: dict[str, str] = Field(default_factory=dict)
    standby: str = ""
    predicted: Predicted | None = None
    measured: Measured | None = None


class HopTime(Payload):
    """Where the time of one frame went: one partition, by the clock of its node."""

    partition: str
    node: str
    queued_s: Seconds
    run_s: Seconds


class Result(Payload):
    """The answer to one frame; ``missing`` names the tensors that the fusion went without."""

    deployment: str
    camera: str
    frame_id: Count
    source: str
    label: str
    confidence: float
    epoch: Count
    missing: tuple[str, ...]
    latency: tuple[HopTime, ...]
