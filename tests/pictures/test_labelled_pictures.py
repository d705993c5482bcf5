"""Labelled pictures divide themselves fairly and always alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictures.labelled import Pictures, interleave


def numbered(labels: list[int]) -> Pictures:
    """Pictures whose only pixel is their place."""
    pixels = np.arange(len(labels), dtype=np.uint8).reshape(-1, 1, 1, 1)
    return Pictures(pixels, np.array(labels, np.int64))


def test_a_part_takes_the_last_of_each_class_in_order() -> None:
    rest, part = numbered([0, 1, 0, 1, 0, 1, 0, 1]).split(4)
    assert part.pixels.ravel().tolist() == [4, 5, 6, 7]
    assert rest.pixels.ravel().tolist() == [0, 1, 2, 3]


@given(st.lists(st.integers(0, 4), min_size=2, max_size=100), st.data())
def test_a_split_keeps_everything_and_every_proportion(
    labels: list[int], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(labels) - 1))
    whole = numbered(labels)
    rest, part = whole.split(count)
    assert len(part) == count
    assert sorted([*rest.pixels.ravel(), *part.pixels.ravel()]) == list(range(len(labels)))
    shares = {label: labels.count(label) * count / len(labels) for label in labels}
    if all(share <= labels.count(label) - 1 for label, share in shares.items()):
        for label, share in shares.items():
            assert abs(np.sum(part.labels == label) - share) < 1


@pytest.mark.parametrize("count", [-1, 0, 4, 5])
def test_neither_side_is_ever_empty(count: int) -> None:
    with pytest.raises(ValueError, match="apart"):
        numbered([0, 1, 0, 1]).split(count)


def test_interleaved_classes_take_turns() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2], np.int64)
    assert labels[interleave(labels)].tolist() == [0, 1, 2, 0, 1, 0]


def test_pictures_check_themselves() -> None:
    with pytest.raises(ValueError, match="pixels are bytes"):
        Pictures(np.zeros((1, 1, 2, 2), np.float32), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="labels are"):
        Pictures(np.zeros((2, 1, 2, 2), np.uint8), np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="below zero"):
        Pictures(np.zeros((1, 1, 2, 2), np.uint8), np.array([-1], np.int64))
