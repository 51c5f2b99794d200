"""The integration in a browser."""
