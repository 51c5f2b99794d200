"""Tests of the client of version 2."""
