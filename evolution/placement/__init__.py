"""Which fog node runs which partition: the problem, its cost model and the search for a placement."""
