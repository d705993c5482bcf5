"""Both genetic algorithms, architecture search and placement: pure decisions on numpy."""
