"""The camera's end of a stream: which frame when, and what an answer means."""
