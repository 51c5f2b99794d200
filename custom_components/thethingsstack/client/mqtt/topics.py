"""MQTT topics of an application."""


def everything(uid: str) -> str:
    """Return the one filter that all messages of an application's devices match."""
    # Not `…/up/#`: the server doesn't take it to match `…/up` itself.
    return f"v3/{uid}/devices/+/#"


def downlink(uid: str, device_id: str, operation: str) -> str:
    """Return where downlinks are published; the operation is "push" or "replace"."""
    return f"v3/{uid}/devices/{device_id}/down/{operation}"
