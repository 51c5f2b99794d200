"""Tests of the room setup_flow."""
