"""From logits to an answer: the class, how sure it is, and whether that is enough."""

import numpy as np
import pytest

from broker.calibration import Calibration
from broker.messages import Result
from fog_node.answer import answer
from tests.fog_node.scene import tensor

CLASSES = ("cat", "dog")
LOGITS = np.array([0.0, 2.0], np.float32)


def answered(logits: np.ndarray[tuple[int], np.dtype[np.float32]], by: Calibration) -> Result:
    return answer(tensor("input", 1).header, (), logits, CLASSES, by, now=0.5)


def test_without_a_calibration_confidence_is_the_softmax_and_every_answer_is_known() -> None:
    result = answered(LOGITS, Calibration())
    assert (result.label, result.unknown) == ("dog", False)
    assert result.confidence == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_the_temperature_makes_it_less_sure_and_below_the_threshold_it_is_unknown() -> None:
    calibration = Calibration(temperature=4.0, threshold=0.7)
    result = answered(LOGITS, calibration)
    assert result.confidence == pytest.approx(1 / (1 + np.exp(-0.5)))  # 0.62
    assert (result.label, result.unknown) == ("dog", True)
    assert not answered(LOGITS * 4, calibration).unknown


def test_a_network_gone_wrong_knows_nothing() -> None:
    result = answered(np.array([np.nan, 1.0], np.float32), Calibration())
    assert (result.confidence, result.unknown) == (0.0, True)
