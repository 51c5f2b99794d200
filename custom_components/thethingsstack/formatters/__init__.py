"""Choosing, trying and setting payload formatters."""
