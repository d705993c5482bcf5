"""Named data sets of pictures with fixed splits, and fitting any picture to a model's input."""
