"""Tests of the room end_devices."""
