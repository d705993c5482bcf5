"""A search run: from a search file to measured networks and a trained winner."""
