"""Tests of the room application."""
