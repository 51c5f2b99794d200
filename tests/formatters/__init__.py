"""Tests of the room formatters."""
