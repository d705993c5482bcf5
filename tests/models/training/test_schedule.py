"""A schedule says what it cannot be, and its rates follow its phases."""

import math

import pytest

from models.training import Schedule


def test_rates_follow_the_phases_or_one_cycle() -> None:
    paper = Schedule()
    assert paper.epochs == 25
    assert [paper.rate(at) for at in (0, 19.9, 20, 24, 25)] == [1e-3, 1e-3, 1e-4, 1e-5, 1e-5]
    cycle = Schedule(phases=((8, 0.1),), curve="one-cycle")
    assert cycle.rate(2) == pytest.approx(0.1)
    assert cycle.rate(0) == cycle.rate(8) == pytest.approx(0.001)
    assert cycle.rate(1) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phases", ()),
        ("phases", ((0, 1e-3),)),
        ("phases", ((1, 0.0),)),
        ("phases", ((1, math.inf),)),
        ("curve", "square"),
        ("optimiser", "luck"),
        ("batch", 1),
        ("drop", 1.0),
        ("smoothing", 1.0),
        ("patience", 0),
        ("shift", -1),
        ("scale", 1.0),
        ("turn", 181.0),
        ("light", -0.1),
        ("colour", math.inf),
        ("noise", math.nan),
        ("erase", 1.1),
    ],
)
def test_an_impossible_schedule_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Schedule(**{field: value})  # type: ignore[arg-type]
