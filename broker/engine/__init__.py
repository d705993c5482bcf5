"""The broker as a process of ours: Mosquitto, or the embedded one."""
