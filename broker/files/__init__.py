"""Files that people write, and files that commands are told to write."""
