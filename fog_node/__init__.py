"""The agent on a device near the cameras, and the camera's own end of a stream."""
