"""A Home Assistant with the integration, for a developer's browser and for tests."""
