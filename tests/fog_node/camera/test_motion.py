"""What moved is sent, noise is not, and a slow change is in the end."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fog_node.camera.motion import Motion, MotionGate, small_grey
from fog_node.camera.motion_option import with_level

Pixels = NDArray[np.uint8]


def scene(brightness: int = 100, seed: int = 0) -> Pixels:
    noise = np.random.default_rng(seed).integers(-6, 7, (3, 96, 128))
    return np.clip(noise + brightness, 0, 255).astype(np.uint8)


def with_object(pixels: Pixels) -> Pixels:
    """Return the scene with a thing of two percent of it."""
    changed = pixels.copy()
    changed[:, 40:52, 60:80] = 200
    return changed


def test_noise_is_not_motion_and_a_small_thing_is() -> None:
    gate = MotionGate(Motion())
    assert gate.passes(scene(), 0.0)
    assert not any(gate.passes(scene(seed=seed), 1.0 + seed) for seed in range(1, 20))
    assert gate.passes(with_object(scene(seed=30)), 30.0)
    assert not gate.passes(with_object(scene(seed=31)), 31.0)
    assert gate.passes(scene(seed=32), 32.0)


def test_dusk_is_seen_in_the_end_for_the_last_one_sent_is_compared_with() -> None:
    gate = MotionGate(Motion(keep_alive_s=1e6))
    passed = [brightness for brightness in range(100, 140) if gate.passes(scene(brightness), 0.0)]
    assert len(passed) in (4, 5)


def test_one_is_sent_anyway_every_so_often() -> None:
    gate = MotionGate(Motion(keep_alive_s=60.0))
    passed = [second for second in range(200) if gate.passes(scene(), float(second))]
    assert passed == [0, 60, 120, 180]


def test_the_level_is_the_share_that_has_to_change() -> None:
    gate = MotionGate(Motion(level=0.5))
    gate.passes(scene(), 0.0)
    assert not gate.passes(with_object(scene()), 1.0)
    half = scene()
    half[:, :60] = 250
    assert gate.passes(half, 2.0)


def test_a_network_of_another_shape_begins_anew() -> None:
    gate = MotionGate(Motion())
    gate.passes(scene(), 0.0)
    assert gate.passes(scene()[:, ::4, ::4], 1.0)


@pytest.mark.parametrize("shape", [(1, 4, 6), (3, 48, 48), (3, 97, 131)])
def test_cells_are_means(shape: tuple[int, int, int]) -> None:
    pixels = np.full(shape, 50, np.uint8)
    small = small_grey(pixels)
    assert small.shape == (min(48, shape[1]), min(48, shape[2]))
    np.testing.assert_allclose(small, 50.0)


@pytest.mark.parametrize(
    ("args", "filled"),
    [
        (["--motion"], ["--motion", "0.01"]),
        (["--motion", "--id", "door"], ["--motion", "0.01", "--id", "door"]),
        (["--motion", "0.2", "--id", "door"], ["--motion", "0.2", "--id", "door"]),
        (["--motion=0.2"], ["--motion=0.2"]),
        (["--id", "door"], ["--id", "door"]),
    ],
)
def test_motion_may_stand_without_a_level(args: list[str], filled: list[str]) -> None:
    assert with_level(args) == filled
