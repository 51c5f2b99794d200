"""Tests of the room issues."""
