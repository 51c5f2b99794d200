"""MQTT topics of an application."""


def everything(uid: str) -> str:
    """Return the topic filter for all messages of an application's end devices."""
    # Not `…/up/#`, which doesn't match `…/up` itself on this server.
    return f"v3/{uid}/devices/+/#"


def downlink(uid: str, device_id: str, operation: str) -> str:
    """Return the topic for downlinks; the operation is "push" or "replace"."""
    return f"v3/{uid}/devices/{device_id}/down/{operation}"
