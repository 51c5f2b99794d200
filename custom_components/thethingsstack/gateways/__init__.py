"""Gateways: their status, entities and dialogue."""
