"""Home Assistant on a stack of version 2."""
