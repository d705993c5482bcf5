"""Pictures of nothing: values that a picture may have, no two alike, and a network that is unsure of them."""

import pytest
import torch

from models.training.loop import with_strangers
from models.training.loss import criterion
from models.training.schedule import Schedule
from models.training.strangers import STRANGER, strangers

PIXELS = torch.randint(0, 256, (6, 3, 20, 28), generator=torch.Generator().manual_seed(0)).to(
    torch.uint8
)


@pytest.mark.parametrize("channels", [1, 3])
def test_strangers_are_pictures_that_follow_from_the_generator(channels: int) -> None:
    found, again = (
        strangers(PIXELS[:, :channels], 40, torch.Generator().manual_seed(1)) for _ in range(2)
    )
    assert torch.equal(found, again)
    assert found.shape == (40, channels, 20, 28)
    assert found.min() >= 0
    assert found.max() <= 255 + 1e-3
    assert len({each.numpy().tobytes() for each in found}) == 40


def test_blank_pictures_give_strangers_too() -> None:
    blank = torch.zeros((2, 1, 8, 8), dtype=torch.uint8)
    assert strangers(blank, 20, torch.Generator().manual_seed(0)).isfinite().all()


def test_a_batch_gets_its_share_of_them_with_the_label_of_no_class() -> None:
    labels = torch.arange(6)
    random = torch.Generator().manual_seed(0)
    values, known = with_strangers(PIXELS, labels, Schedule(strangers=0.5), random)
    assert known.tolist() == [0, 1, 2, 3, 4, 5, *[STRANGER] * 3]
    assert torch.equal(values[:6], PIXELS.float())
    plain, same = with_strangers(PIXELS, labels, Schedule(), random)
    assert torch.equal(plain, PIXELS)
    assert same is labels


def test_being_equally_unsure_of_all_classes_costs_nothing_and_certainty_does() -> None:
    labels = torch.tensor([0, STRANGER])
    loss = criterion(Schedule(strangers=0.5), labels, 3)
    alone = torch.nn.functional.cross_entropy(torch.tensor([[2.0, 0.0, 0.0]]), labels[:1]).item()
    unsure = loss(torch.tensor([[2.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), labels).item()
    sure = loss(torch.tensor([[2.0, 0.0, 0.0], [9.0, 1.0, 1.0]]), labels).item()
    assert unsure == pytest.approx(alone, abs=1e-6)
    assert sure > alone + 1


def test_strangers_weigh_no_class() -> None:
    labels = torch.tensor([0, 1, 1, STRANGER])
    balanced = criterion(Schedule(strangers=0.5, balanced=True), labels[:3], 2)
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert balanced(logits, labels).item() == pytest.approx(
        torch.nn.functional.cross_entropy(logits[:1], labels[:1]).item(), abs=1e-6
    )
