"""Where to connect, from the environment: shared by the examples."""

import os

from thethingsstack import Connection


def connection() -> Connection:
    """Return the connection that TTN_SERVER, TTN_APPLICATION and TTN_API_KEY describe."""
    application_id, _, tenant_id = os.environ["TTN_APPLICATION"].partition("@")
    return Connection(
        server=os.environ["TTN_SERVER"],
        identity_server=os.environ.get("TTN_IDENTITY_SERVER", ""),
        application_id=application_id,
        tenant_id=tenant_id or None,
        api_key=os.environ["TTN_API_KEY"],
    )
