"""Known branches are combined exactly as the network would: sums, then the first largest class."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from models.branch_logits import BranchLogits
from models.cnn import Fusion

WHOLE = st.integers(-2, 2).map(float)  # so that classes are often equal
ANY = st.floats(-100, 100, width=32)


@st.composite
def known_branches(draw: st.DrawFn) -> tuple[np.ndarray, ...]:
    branches, pictures, classes = (draw(st.integers(low, 6)) for low in (1, 1, 2))
    values = draw(st.sampled_from([WHOLE, ANY]))
    logits = draw(hnp.arrays(np.float32, (branches, pictures, classes), elements=values))
    bias = draw(hnp.arrays(np.float32, classes, elements=values))
    labels = draw(hnp.arrays(np.int64, pictures, elements=st.integers(0, classes - 1)))
    index = st.integers(0, branches - 1)
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 4)))
    return logits, labels, bias, draw(hnp.arrays(np.int64, shape, elements=index))


@given(known_branches())
def test_a_combination_scores_as_the_fusion_and_argmax_of_torch(
    known: tuple[np.ndarray, ...],
) -> None:
    logits, labels, bias, combinations = known
    fusion = Fusion(len(bias))
    fusion.load_state_dict({"bias": torch.from_numpy(bias)})
    terms = torch.from_numpy(logits)
    expected = [
        fusion(*(terms[branch] for branch in row)).argmax(1).eq(torch.from_numpy(labels)).sum()
        / len(labels)
        for row in combinations
    ]
    found = BranchLogits(logits, labels, bias).accuracy(combinations)
    assert found == pytest.approx([float(share) for share in expected])


def test_many_pictures_are_worked_on_in_blocks() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(3, 700, 4)).astype(np.float32)
    labels = random.integers(0, 4, 700)
    found = BranchLogits(logits, labels, np.zeros(4, np.float32)).accuracy(
        np.array([[0, 1], [2, 2]])
    )
    sums = np.stack([logits[0] + logits[1], logits[2] + logits[2]])
    assert found.tolist() == (sums.argmax(2) == labels).mean(1).tolist()


def test_a_branch_that_is_not_known_is_refused() -> None:
    known = BranchLogits(
        np.zeros((2, 1, 2), np.float32), np.zeros(1, np.int64), np.zeros(2, np.float32)
    )
    for index in (-1, 2):
        with pytest.raises(IndexError, match="0 to 1"):
            known.accuracy(np.array([[0, index]]))
