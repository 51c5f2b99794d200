"""Tests of the integration, its client and its payload reader."""
