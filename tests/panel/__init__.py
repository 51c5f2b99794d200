"""Tests of the sidebar panel."""
