"""The TLS context with the trusted root certificates."""

import ssl

from ..errors import InvalidRequest


def tls_context(ca_pem: str | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's root certificates, and a private CA (PEM text).

    Reads files: call it in an executor. Raises InvalidRequest `invalid_certificate`.
    """
    context = ssl.create_default_context()
    if ca_pem and ca_pem.strip():
        try:
            context.load_verify_locations(cadata=ca_pem)
        except (ssl.SSLError, ValueError):
            raise InvalidRequest(
                "not a certificate in PEM form", name="invalid_certificate"
            ) from None
    return context
