"""Taking entities over from other integrations."""
