"""Faults played against real processes in mid-stream: what was lost, for how long, and who knew."""
