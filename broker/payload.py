"""What all control messages have in common, and what is wrong with those that are none."""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from broker.first_fault import first_fault
from broker.printable import printable


class MessageError(ValueError):
    """A control message that cannot be read, in one printable sentence naming the field."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


class Payload(BaseModel):
    """Frozen, JSON, unknown fields ignored, and never larger than ``MOST_BYTES``.

    JSON knows neither infinity nor NaN, so no field holds them.
    """

    MOST_BYTES: ClassVar[int] = 64 * 1024
    PASSED_ON: ClassVar[bool] = False
    """Whether it is encoded again by those who read it: then that has to fit, too."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def encode(self) -> bytes:
        """Return the payload as JSON.

        Raises:
            MessageError: it is larger than its readers take.
        """
        payload = self.model_dump_json().encode()
        self._check_size(len(payload))
        return payload

    @classmethod
    def decode(cls, payload: bytes, **named: str) -> Self:
        """Return the message in ``payload``; its size is looked at before anything else.

        ``named`` are fields that its topic names: whoever may write a topic speaks of nothing else there.

        Raises:
            MessageError: it is too large, it is not JSON, a field is missing or out of range, or one says
                otherwise than the topic.
        """
        cls._check_size(len(payload))
        try:
            message = cls.model_validate_json(payload)
        except ValidationError as error:
            raise MessageError(f"{cls.__name__}: {first_fault(error, 'payload')}") from None
        for field, name in named.items():
            if (said := getattr(message, field)) != name:
                raise MessageError(f"{cls.__name__}: {field}: {said!r} is not that of the topic")
        if cls.PASSED_ON:
            message.encode()  # numbers may be longer than they were
        return message

    @classmethod
    def _check_size(cls, size: int) -> None:
        if size > cls.MOST_BYTES:
            raise MessageError(f"{cls.__name__}: {size} bytes, at most {cls.MOST_BYTES}")
