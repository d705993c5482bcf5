"""What a search run looks like: a page and its pictures."""
