"""What the tests of this folder play with: a bundle of two branches, and fog nodes that only speak."""

from typing import Any

from broker.artifacts import sha256_of
from broker.bus.seam import Message
from broker.messages import (
    OFFLINE,
    ONLINE,
    Active,
    Assignment,
    BundleName,
    Links,
    NodeInfo,
    Report,
    ReportStatus,
    Spec,
)
from broker.tensor_specs import InputSpec
from broker.topics import NODE_INFO, NODE_REPORT, NODE_STATE, SPEC
from models.bundle import Bundle

SITE, NAME = "home", "digits"


def artifact(partition: str, version: str = "1") -> bytes:
    """Return what stands for the ONNX file of a partition."""
    return f"{partition} {version}".encode()


def bundle(branches: int = 2, version: str = "1", macs: int = 10_000_000) -> Bundle:
    """Return a bundle of one stage a branch; only its description is real."""
    parts: list[dict[str, Any]] = []
    tensors = [{"id": "input", "shape": (1, 1, 4, 4), "dtype": "uint8", "bytes": 16}]
    for branch in range(branches):
        parts.append(_part(f"branch{branch}-stage0", ["input"], f"branch{branch}-logits", version))
        parts[-1].update(branch=branch, stage=0, macs=macs)
        tensors.append(
            {"id": f"branch{branch}-logits", "shape": (1, 2), "dtype": "float32", "bytes": 8}
        )
    logits = [f"branch{branch}-logits" for branch in range(branches)]
    parts.append(_part("fusion", logits, "logits", version))
    tensors.append({"id": "logits", "shape": (1, 2), "dtype": "float32", "bytes": 8})
    return Bundle.model_validate(
        {
            "name": "toy",
            "version": version,
            "classes": ["cat", "dog"],
            "input": {
                "name": "input",
                "shape": (1, 1, 4, 4),
                "dtype": "float32",
                "mean": [0.5],
                "std": [0.5],
            },
            "partitions": parts,
            "tensors": tensors,
            "fusion": {"id": "fusion", "inputs": logits, "min_inputs": 1},
            "genome": " / ".join(["1"] * branches),
            "accuracy": {"whole": 0.9, "missing": {}},
        }
    )


def _part(name: str, inputs: list[str], output: str, version: str) -> dict[str, Any]:
    data = artifact(name, version)
    return {
        "id": name,
        "branch": None,
        "stage": None,
        "file": f"partitions/{name}.onnx",
        "sha256": sha256_of(data),
        "bytes": len(data),
        "memory_bytes": 1000,
        "macs": 0,
        "inputs": inputs,
        "outputs": [output],
    }


def artifacts(of: Bundle) -> dict[str, bytes]:
    """Return the artifacts of a toy bundle by hash."""
    return {
        sha256_of(data): data for part in of.partitions for data in [artifact(part.id, of.version)]
    }


def info(node: str, session: int = 1, memory: int = 1_000_000, speed: float = 1e9) -> NodeInfo:
    """Return what a fog node says it is."""
    return NodeInfo(
        session=session,
        version="0",
        hardware=f"{node} hardware",
        cores=1,
        threads=1,
        memory_bytes=memory,
        macs_per_s=speed,
        links=Links(uplink_bytes_per_s=1e8, downlink_bytes_per_s=1e8, latency_s=1e-4),
    )


def here(node: str, session: int = 1, memory: int = 1_000_000) -> list[Message]:
    """Return what a fog node says when it comes."""
    return [
        Message(NODE_INFO.at(SITE, node=node), info(node, session, memory).encode()),
        Message(NODE_STATE.at(SITE, node=node), ONLINE),
    ]


def gone(node: str) -> Message:
    """Return what the broker says for a fog node that died."""
    return Message(NODE_STATE.at(SITE, node=node), OFFLINE)


def report(
    node: str,
    assignment: Assignment,
    status: ReportStatus = "ready",
    reason: str = "",
    session: int = 1,
) -> Message:
    """Return a fog node's report on an assignment."""
    told = Report(
        session=session,
        deployment=assignment.deployment,
        epoch=assignment.epoch,
        status=status,
        reason=reason,
        seconds={part.id: 0.01 for part in assignment.partitions},
    )
    return Message(NODE_REPORT.at(SITE, node=node), told.encode())


def wish(of: Bundle, revision: int = 1, name: str = NAME) -> Message:
    """Return what `deploy` says."""
    spec = Spec(deployment=name, revision=revision, bundle=of.model_dump(mode="json"))
    return Message(SPEC.at(SITE, deployment=name), spec.encode())


def active(epoch: int, of: Bundle | None = None) -> Active:
    """Return what the cameras are told of an epoch."""
    of = of or bundle()
    return Active(
        deployment=NAME,
        epoch=epoch,
        bundle=BundleName(name=of.name, version=of.version),
        classes=of.classes,
        input=InputSpec.model_validate(of.input.model_dump()),
    )
