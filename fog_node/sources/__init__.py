"""Where a camera's pictures come from; one file a kind of source."""
