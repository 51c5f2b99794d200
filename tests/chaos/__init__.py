"""Real Home Assistant processes on a server where everything goes wrong, and what they lose."""
