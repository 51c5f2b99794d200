"""Tests of the room gateways."""
