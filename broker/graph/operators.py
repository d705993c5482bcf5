"""The operators that a fog node runs: what shape comes out of each, and what it costs. Pure.

They are those of a trained CNN. Each has a cost that follows from the shapes alone: nothing here loops,
branches, takes a size from a picture, draws numbers or reads what it was not given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from broker.graph.arithmetic import (
    FUNCTION_COST,
    clip,
    convolve,
    each,
    gemm,
    matrix_product,
    normalise,
    pool,
    pool_all,
    reduce,
    soften,
)
from broker.graph.arrangement import flatten, join, reshape, squeeze, transpose, unsqueeze
from broker.graph.call import Call, Effect
from broker.graph.onnx_file import GraphError


@dataclass(frozen=True, slots=True)
class Rule:
    """How many inputs an operator takes, which attributes it may have, and what it does."""

    inputs: range
    attributes: frozenset[str]
    effect: Callable[[Call], Effect]


def effect(call: Call) -> Effect:
    """Return what an operator does.

    Raises:
        GraphError: it is none of those that are run here, or its inputs do not fit it.
    """
    operator = call.operator
    rule = RULES.get(operator.kind)
    if rule is None:
        raise GraphError(f"operator {operator.kind[:64]!r} is not run on fog nodes")
    if len(operator.inputs) not in rule.inputs or len(operator.outputs) != 1:
        raise GraphError(
            f"{operator.kind}: {len(operator.inputs)} inputs and {len(operator.outputs)} outputs"
        )
    if strange := sorted(operator.attributes.keys() - rule.attributes):
        raise GraphError(f"{operator.kind}: attribute {strange[0][:64]!r} is not known")
    return rule.effect(call)


def _rule(inputs: range, attributes: str, effect: Callable[[Call], Effect]) -> Rule:
    return Rule(inputs, frozenset(attributes.split()), effect)


_ONE, _TWO, _SOME = range(1, 2), range(2, 3), range(1, 65)
_WINDOW: Final = "auto_pad dilations kernel_shape pads strides"

RULES: Final[Mapping[str, Rule]] = {
    "Add": _rule(_TWO, "", each(1)),
    "AveragePool": _rule(_ONE, f"{_WINDOW} ceil_mode count_include_pad", pool),
    "BatchNormalization": _rule(range(5, 6), "epsilon momentum training_mode", normalise),
    "Clip": _rule(range(1, 4), "", clip),
    "Concat": _rule(_SOME, "axis", join),
    "Conv": _rule(range(2, 4), f"{_WINDOW} group", convolve),
    "Div": _rule(_TWO, "", each(FUNCTION_COST)),
    "Elu": _rule(_ONE, "alpha", each(FUNCTION_COST)),
    "Flatten": _rule(_ONE, "axis", flatten),
    "Gemm": _rule(range(2, 4), "alpha beta transA transB", gemm),
    "GlobalAveragePool": _rule(_ONE, "", pool_all),
    "GlobalMaxPool": _rule(_ONE, "", pool_all),
    "HardSigmoid": _rule(_ONE, "alpha beta", each(2)),
    "HardSwish": _rule(_ONE, "", each(2)),
    "Identity": _rule(_ONE, "", each(1)),
    "LeakyRelu": _rule(_ONE, "alpha", each(1)),
    "MatMul": _rule(_TWO, "", matrix_product),
    "MaxPool": _rule(_ONE, f"{_WINDOW} ceil_mode storage_order", pool),
    "Mul": _rule(_TWO, "", each(1)),
    "ReduceMean": _rule(range(1, 3), "axes keepdims noop_with_empty_axes", reduce),
    "Relu": _rule(_ONE, "", each(1)),
    "Reshape": _rule(_TWO, "allowzero", reshape),
    "Sigmoid": _rule(_ONE, "", each(FUNCTION_COST)),
    "Softmax": _rule(_ONE, "axis", soften),
    "Squeeze": _rule(range(1, 3), "", squeeze),
    "Sub": _rule(_TWO, "", each(1)),
    "Sum": _rule(_SOME, "", each(1)),
    "Tanh": _rule(_ONE, "", each(FUNCTION_COST)),
    "Transpose": _rule(_ONE, "perm", transpose),
    "Unsqueeze": _rule(_TWO, "", unsqueeze),
}
"""Every operator that is run, by its name; whoever adds one states its shape and its cost."""
