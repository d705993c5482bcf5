import pytest

from coordinator.fog.layout import Layout
from coordinator.fog.worth import worth_it


def layout(response_s: float, frames_per_s: float | None, p95_s: float | None = None) -> Layout:
    return Layout({}, {}, response_s, 0.01, frames_per_s, p95_s)


@pytest.mark.parametrize(
    ("present", "other", "rate", "worth"),
    [
        (layout(1.0, 10), layout(0.79, 10), None, True),
        (layout(1.0, 10), layout(0.81, 10), None, False),
        (layout(0.1, 10), layout(0.5, 30, 0.6), 20.0, True),  # one keeps up, the other does not
        (layout(0.5, 30, 0.6), layout(0.1, 10), 20.0, False),
        (layout(0.1, 30, 0.5), layout(0.1, 30, 0.39), 20.0, True),
        (layout(0.5, 30, 0.5), layout(0.1, 30, 0.41), 20.0, False),
        (layout(0.1, 10), layout(0.1, 13), 20.0, True),  # neither does
        (layout(0.5, 10), layout(0.1, 12), 20.0, False),
    ],
)
def test_what_makes_another_layout_worth_the_change(
    present: Layout, other: Layout, rate: float | None, worth: bool
) -> None:
    assert worth_it(present, other, rate) is worth
