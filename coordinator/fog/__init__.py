"""The running fog: who is there, what is deployed where, and the commands that ask for it."""
