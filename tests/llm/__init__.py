"""The tools of a voice assistant."""
