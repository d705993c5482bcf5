"""A fog under attack: real messages changed, on every topic, by the hundred thousand."""
