"""Home Assistant actions of this integration."""
