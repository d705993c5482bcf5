"""How the parts talk: topics, messages, the tensor codec, the bus, and the broker itself."""
