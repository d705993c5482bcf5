"""What a search, a training and a frame will cost, told before anything is computed."""
