"""A downlink from the request to the end device's acknowledgement."""
