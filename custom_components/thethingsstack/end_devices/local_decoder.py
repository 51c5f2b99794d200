"""Uplinks of an end device decoded in Home Assistant, where the server doesn't."""

from dataclasses import dataclass
from datetime import UTC, datetime

from ..client import UplinkMessage
from ..payload import ModelFields
from ..payload.decoders import DecodeError, Decoder

MOST_FRAMES = 4
_EPOCH = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of an uplink, and the port that they came on."""

    f_port: int
    payload: bytes


class LocalDecoder:
    """Decodes the uplinks of an end device, as somebody has chosen; until then, none."""

    def __init__(self) -> None:
        """Start without a choice."""
        self.chosen: Decoder | None = None
        self.failure: DecodeError | None = None
        """Why the last uplink could not be decoded."""
        self._frames: dict[int, Frame] = {}
        self._decoded: UplinkMessage | None = None
        self._original: UplinkMessage | None = None

    @property
    def frames(self) -> list[Frame]:
        """Return the newest frame of each of the last ports, of those that the server didn't decode."""
        return list(self._frames.values())

    def apply(self, uplink: UplinkMessage, known: ModelFields | None) -> UplinkMessage:
        """Return a received uplink, decoded if it is to be decoded here.

        `known` has the model library's table. One that can't be decoded stays as it is; `failure`
        says why.
        """
        chosen = self.chosen
        if chosen is None and uplink.decoded_payload is not None:
            return uplink  # as for most, most of the time
        payload = uplink.frm_payload
        if not payload or not uplink.f_port:
            return uplink
        if chosen is not None or not uplink.normalized_payload:
            self._frames.pop(uplink.f_port, None)
            self._frames[uplink.f_port] = Frame(uplink.f_port, payload)
            if len(self._frames) > MOST_FRAMES:
                del self._frames[next(iter(self._frames))]
        if not self._is_for(uplink):
            return uplink
        self.failure = None
        try:
            decoded = _with(chosen, uplink, payload, known)
        except DecodeError as err:
            self.failure = err
            return uplink
        if self._decoded is None or (uplink.time or _EPOCH) >= (self._decoded.time or _EPOCH):
            uplink.fold()
            self._original, self._decoded = uplink, decoded
        return decoded

    def original(self, uplink: UplinkMessage) -> UplinkMessage:
        """Return the last uplink as it came, if it was decoded here."""
        original = self._original
        return original if original is not None and uplink is self._decoded else uplink

    def decoded(self, uplink: UplinkMessage, known: ModelFields | None) -> UplinkMessage:
        """Return any uplink, decoded if that is to be done here; notes nothing."""
        payload = uplink.frm_payload if self._is_for(uplink) else None
        if not payload or not uplink.f_port:
            return uplink
        try:
            return _with(self.chosen, uplink, payload, known)
        except DecodeError:
            return uplink

    def _is_for(self, uplink: UplinkMessage) -> bool:
        """Return whether an uplink is to be decoded here."""
        if self.chosen is None:
            return False
        served = uplink.decoded_payload is not None or bool(uplink.normalized_payload)
        return self.chosen.always or not served


def _with(
    decoder: Decoder | None, uplink: UplinkMessage, payload: bytes, known: ModelFields | None
) -> UplinkMessage:
    """Return an uplink as a decoder decodes it; raises DecodeError."""
    assert decoder is not None
    of_model = known.decoder if known is not None else None
    return uplink.with_decoded_payload(decoder.decode(payload, uplink.f_port, of_model))
