"""Names of partitions and tensors, the same in torch, in the ONNX graphs and on the wire."""

INPUT = "input"  # the picture
LOGITS = "logits"  # the result of the fusion
FUSION = "fusion"  # the partition where branches merge


def partition_id(branch: int, stage: int) -> str:
    """Name the piece of one branch and stage, both from 0, and what it hands to the next stage."""
    return f"branch{branch}-stage{stage}"


def partial_logits_id(branch: int) -> str:
    """Name the tensor that a branch hands to the fusion."""
    return f"branch{branch}-logits"
