"""The conditions of automations."""
