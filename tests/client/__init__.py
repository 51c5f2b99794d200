"""Tests of the client, which run without Home Assistant."""
