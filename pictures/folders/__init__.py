"""Data sets in folders: one folder of pictures per class, or IDX files."""
