"""The one seam between the parts and whatever carries their messages, and the buses behind it."""
