"""Searches, trains, places and deploys; watches the fog and redeploys when a device dies."""
