"""Entities that users make to send downlinks: switches, thermostats, valves and more."""
