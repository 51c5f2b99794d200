"""Tests of the room controls."""
