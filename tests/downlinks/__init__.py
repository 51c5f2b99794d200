"""Tests of the room downlinks."""
