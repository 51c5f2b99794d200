"""The simulator's own tests: it is held to the recordings, and to what is known beyond them."""
