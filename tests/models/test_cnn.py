"""The torch network is the genome, convolution by convolution."""

import pytest
import torch
from hypothesis import given, settings
from torch import nn

from evolution.cost import NetworkShape, parameters, partition_macs
from evolution.genome import Genome
from models.cnn import BranchedCNN
from tests.models.strategies import networks

SMALL = NetworkShape(classes=4, input=(1, 12, 12), channels=((3, 5), (2, 4)))


def network(text: str, shape: NetworkShape = SMALL) -> BranchedCNN:
    torch.manual_seed(0)
    return BranchedCNN(Genome.parse(text), shape).eval()


def macs_by_running(model: BranchedCNN, branch: int, stage: int, inputs: list[torch.Tensor]) -> int:
    """Count the multiply-accumulates of one partition from what its convolutions are seen to do."""
    macs = 0

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d)
        macs += output[0, 0].numel() * module.weight.numel()

    partition = model.partition(branch, stage)
    hooks = [
        m.register_forward_hook(count) for m in partition.modules() if isinstance(m, nn.Conv2d)
    ]
    partition(*inputs)
    for hook in hooks:
        hook.remove()
    return macs


@given(networks())
@settings(max_examples=25, deadline=None)
def test_parameters_and_macs_are_those_that_the_search_counts(
    network: tuple[Genome, NetworkShape],
) -> None:
    genome, shape = network
    model = BranchedCNN(genome, shape).eval()
    assert sum(weights.numel() for weights in model.parameters()) == parameters(genome, shape)
    outputs = model.stage_outputs(x := torch.zeros(1, *shape.input))
    for (branch, stage), macs in partition_macs(genome, shape).items():
        inputs = [outputs[stage - 1][a] for a in genome.sources(branch, stage)] or [x]
        seen = macs_by_running(model, branch, stage, inputs)
        if stage == genome.stage_count - 1:
            seen += outputs[stage][branch].shape[1] * shape.classes  # the branch's linear map
        assert seen == macs


def test_a_stage_sums_predecessors_and_exits_as_the_paper_says() -> None:
    """Stage 0-11-000: node 3 takes nodes 1 and 2, node 4 is isolated and dropped."""
    model = network("0-11-000", NetworkShape(2, (1, 8, 8), ((3,),)))
    stage = model.partition(0, 0)
    x = torch.randn(2, 1, 8, 8)
    assert stage.output is not None
    before = stage.input(x)
    nodes = stage.nodes
    by_hand = stage.pool(stage.output(nodes["3"](nodes["1"](before) + nodes["2"](before))))
    assert sorted(nodes) == ["1", "2", "3"]
    assert torch.equal(stage(x), by_hand)


def test_an_empty_stage_is_one_convolution() -> None:
    stage = network("0-00|0-00").partition(0, 0)
    assert len([module for module in stage.modules() if isinstance(module, nn.Conv2d)]) == 1


def test_logits_are_the_sum_of_partial_logits_and_a_bias() -> None:
    model = network("1|1 / 1|0 / 0|1 ; widths 0,1,1")
    nn.init.normal_(model.fusion.bias)
    x = torch.randn(3, 1, 12, 12)
    partial = model.partial_logits(x)
    assert partial.shape == (3, 3, 4)  # branches, pictures, classes
    assert torch.allclose(model(x), partial.sum(0) + model.fusion.bias, atol=1e-6)


def test_without_exchange_branches_do_not_see_each_other_and_with_it_they_do() -> None:
    x = torch.randn(2, 1, 12, 12)
    for text, changes in (("1|1 / 1|1", False), ("1|1 / 1|1 ; exchange 10", True)):
        model = network(text)
        before = model.partial_logits(x)[1]
        with torch.no_grad():
            for weights in model.partition(0, 0).parameters():
                weights.mul_(2)
        assert torch.equal(model.partial_logits(x)[1], before) != changes


def test_a_shape_that_does_not_cover_the_genome_is_refused() -> None:
    with pytest.raises(ValueError, match="channels"):
        network("1|1|1")
    with pytest.raises(ValueError, match="width index 2"):
        network("1|1 ; widths 2")
