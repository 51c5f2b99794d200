"""The long run of the property tests, and the memory that very many messages take."""
