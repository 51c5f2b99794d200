"""The dialogue that creates and reconfigures a config entry, and the entry's general options."""
