"""Programs that measure and print tables; never tests."""
