"""Tests of the room provisioning."""
