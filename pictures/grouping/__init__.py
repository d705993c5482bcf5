"""Which pictures belong together, and which are held out: a burst never stands on both sides."""
