"""The faults, by kind; ``table`` has them all."""
