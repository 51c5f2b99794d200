"""The live state of end devices, and which of them Home Assistant has."""
