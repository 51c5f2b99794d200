"""One connected application: its connection, its counters, catching up on missed uplinks, and what is stored."""
