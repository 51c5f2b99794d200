"""When a repair issue is raised, and its text."""
