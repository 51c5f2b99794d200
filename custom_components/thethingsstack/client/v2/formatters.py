"""Payload functions as payload formatters: in version 2 they are the application's, for all."""

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidRequest, NotSupported
from ..formatters import CAYENNE_LPP, JAVASCRIPT, Decoded, Direction, Formatters
from ..models import Formatter, VersionIds
from . import functions
from .functions import ApplicationFunctions, HandlerApplication


class FunctionFormatters:
    """The application's payload functions, as decoder (up) and encoder (down).

    Converter and validator are kept; they run after the decoder.
    """

    def __init__(self, application: ApplicationFunctions) -> None:
        """Read and change them with `application`."""
        self._application = application

    async def of_application(self) -> Formatters | None:
        """Return the application's formatters (right `settings`); None without any."""
        found = formatters_of(await self._application.get())
        return None if found == Formatters() else found

    async def set_of_application(self, formatters: Formatters) -> None:
        """Set the application's formatters (right `settings`).

        Raises NotSupported for kinds that version 2 doesn't have, and InvalidRequest
        `one_payload_format` where only one direction is CayenneLPP.
        """
        await self._application.change(**_texts(formatters))

    async def of_device(self, device_id: str) -> Formatters | None:
        """Return None: an end device has none of its own."""
        return None

    async def set_of_device(self, device_id: str, formatters: Formatters | None) -> None:
        """Raise NotSupported, unless the application's are to apply, as they do."""
        if formatters is not None:
            raise NotSupported("device_formatters")

    async def change(
        self, device_id: str | None, wanted: Mapping[Direction, Formatter | None]
    ) -> Formatters:
        """Set the named directions of the application, and return both."""
        if device_id is not None:
            raise NotSupported("device_formatters")
        present = await self.of_application() or Formatters()
        after = Formatters(up=wanted.get("up", present.up), down=wanted.get("down", present.down))
        await self.set_of_application(after)
        return after

    async def decode(
        self,
        device_id: str,
        *,
        f_port: int,
        payload: bytes,
        formatter: Formatter,
        version_ids: VersionIds | None = None,
    ) -> Decoded:
        """Raise NotSupported: the Handler tries functions over gRPC only."""
        raise NotSupported("formatter_trial")


def formatters_of(application: HandlerApplication) -> Formatters:
    """Return an application's payload functions as formatters.

    In a format that the Handler doesn't know, nothing is decoded.
    """
    if application.payload_format == functions.CAYENNE_LPP:
        return Formatters(up=Formatter(kind=CAYENNE_LPP), down=Formatter(kind=CAYENNE_LPP))
    if application.payload_format not in ("", functions.CUSTOM):
        return Formatters()

    def script(text: str) -> Formatter | None:
        return Formatter(kind=JAVASCRIPT, parameter=text) if text.strip() else None

    return Formatters(up=script(application.decoder), down=script(application.encoder))


def _texts(formatters: Formatters) -> dict[str, str]:
    """Return the fields of an application that are to be written."""
    both: dict[str, Any] = {"decoder": formatters.up, "encoder": formatters.down}
    kinds = {formatter.kind for formatter in both.values() if formatter is not None}
    if not kinds <= {JAVASCRIPT, CAYENNE_LPP}:
        raise NotSupported("repository")
    if CAYENNE_LPP in kinds:
        if JAVASCRIPT in kinds:
            raise InvalidRequest(
                "the application has one payload format for both directions: CayenneLPP or"
                " functions of its own",
                name="one_payload_format",
            )
        return {"payload_format": functions.CAYENNE_LPP}
    return {
        "payload_format": functions.CUSTOM,
        **{
            name: (formatter.parameter or "") if formatter is not None else ""
            for name, formatter in both.items()
        },
    }
