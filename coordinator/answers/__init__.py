"""The answers of a site as people see them: followed as they come, as states, and in Home Assistant."""
