"""What may go wrong with pictures, one plain sentence each."""


class DatasetError(Exception):
    """A data set or a picture cannot be used; the message is one sentence naming the file or folder."""


class UnreadableError(DatasetError):
    """A picture file that is not read: its ``name``, and the ``reason`` in a few words."""

    def __init__(self, name: object, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = str(name), reason
