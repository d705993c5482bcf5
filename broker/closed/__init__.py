"""A closed fog: its own authority, its users and their rights, and the folder that holds them."""
