"""Tests of understanding payloads; they run without Home Assistant."""
