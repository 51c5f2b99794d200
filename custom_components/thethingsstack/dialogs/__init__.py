"""Pieces that several dialogues share."""
