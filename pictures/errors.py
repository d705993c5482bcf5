"""What may go wrong with pictures: one exception, one plain sentence."""


class DatasetError(Exception):
    """A data set or a picture cannot be used; the message is one sentence naming the file or folder."""
