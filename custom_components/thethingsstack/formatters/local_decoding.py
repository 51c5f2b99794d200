"""How Home Assistant itself decodes the uplinks of some end devices: tried on their last frames."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN
from ..dialogs import running
from ..end_devices import EndDeviceState
from ..issues import escape_markdown
from ..payload import SENSOR_ATTR, Kind, Meaning, Position, Source, Value, understand
from ..payload.decoders import DecodeError, Decoder, DecoderError, DecoderKind, Table

if TYPE_CHECKING:
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry

SERVER = "server"
"""The choice of the server's decoding alone."""
_TRIED = 4
_LONGEST_VALUE = 80


class LocalDecoding:
    """The choice that a dialogue makes for some end devices."""

    def __init__(self, entry: TtsConfigEntry, devices: Sequence[EndDeviceState]) -> None:
        """Begin with what the first end device has now, else with the table of its model."""
        self._entry = entry
        self.devices = list(devices)
        """There is at least one; the first one's model is that of all."""
        chosen = self.devices[0].local_decoder.chosen
        self.present = SERVER if chosen is None else str(chosen.kind)
        self.kind = self.present if chosen is not None else str(self._usual)
        self.always = chosen is not None and chosen.always
        table = (chosen.table if chosen is not None else None) or self.of_model
        self.rows: list[Any] = table.as_list() if table is not None else []
        """The rows as they were typed."""
        self.decoder: Decoder | None = chosen

    @property
    def coordinator(self) -> ApplicationCoordinator:
        """Return the application; raises AbortFlow where it isn't loaded."""
        return running(self._entry)

    @property
    def of_model(self) -> Table | None:
        """Return the table that the model library has for the model."""
        known = self.devices[0].context.known
        return known.decoder if known is not None else None

    @property
    def _usual(self) -> DecoderKind:
        return DecoderKind.MODEL if self.of_model is not None else DecoderKind.CAYENNE_LPP

    @property
    def kinds(self) -> list[str]:
        """Return what can be chosen."""
        kinds = [str(DecoderKind.CAYENNE_LPP), str(DecoderKind.TABLE), SERVER]
        if self.of_model is not None or self.present == DecoderKind.MODEL:
            kinds.insert(0, str(DecoderKind.MODEL))
        return kinds

    def choose(self) -> None:
        """Make the decoder of kind and rows; raises TableError."""
        if self.kind == SERVER:
            self.decoder = None
            return
        kind = DecoderKind(self.kind)
        table = Table.from_data(self.rows) if kind is DecoderKind.TABLE else None
        self.decoder = Decoder(kind=kind, table=table, always=self.always)

    @property
    def frames(self) -> list[tuple[EndDeviceState, int, bytes]]:
        """Return end device, port and bytes of some of the last uplinks, the newest first."""
        found = []
        for device in self.devices:
            frames = [(frame.f_port, frame.payload) for frame in device.local_decoder.frames]
            last = device.last_data_uplink
            if not frames and last is not None and last.frm_payload:
                frames = [(last.f_port, last.frm_payload)]
            found += [(device, port, payload) for port, payload in reversed(frames)]
        return found[:_TRIED]

    def decode_frames(self) -> list[dict[str, Any] | DecodeError]:
        """Return what the decoder makes of the last uplinks, in the order of `frames`."""
        assert self.decoder is not None
        found: list[dict[str, Any] | DecodeError] = []
        for _, port, payload in self.frames:
            try:
                found.append(self.decoder.decode(payload, port, self.of_model))
            except DecodeError as err:
                found.append(err)
        return found

    async def async_preview(self) -> str:
        """Return the last uplinks in Markdown: what they are decoded to, and what becomes of it."""
        parts = []
        for (device, port, payload), decoded in zip(self.frames, self.decode_frames(), strict=True):
            head = (
                f"**{escape_markdown(device.name)}**, f_port {port}: `{payload.hex(' ').upper()}`"
            )
            if isinstance(decoded, DecodeError):
                lines = [f"- ✗ {escape_markdown(await self.async_reason(decoded))}"]
            else:
                lines = list(self._lines(device, decoded)) or ["- -"]
            parts.append("\n".join([head, "", *lines]))
        return "\n\n".join(parts)

    def _lines(self, device: EndDeviceState, decoded: Mapping[str, Any]) -> Iterator[str]:
        found = understand(decoded, decisions={}, context=device.context)
        names = self.coordinator.names
        for path, meaning in found.new.items():
            if meaning.kind is not Kind.IGNORE:
                value = _shown(found.values.get(path), meaning.unit)
                name = escape_markdown(names.shown(meaning))
                yield f"- `{path.replace('`', chr(39))}` → {name}: **{escape_markdown(value)}**"

    async def async_reason(self, err: DecoderError) -> str:
        """Return in Home Assistant's language why a table can't be used, or bytes not decoded."""
        hass = self.coordinator.hass
        texts = await async_get_translations(hass, hass.config.language, "selector", {DOMAIN})
        prefix = f"component.{DOMAIN}.selector"
        words = dict(err.placeholders)
        if (part := words.get("part")) is not None:
            words["part"] = texts.get(f"{prefix}.decoder_row.fields.{part}.name", part)
        if (kind := words.get("type")) is not None:
            words["type"] = texts.get(f"{prefix}.row_type.options.{kind}", kind)
        text = texts.get(f"{prefix}.decoder_reason.options.{err.key}")
        return str(err) if text is None else text.format(**words)

    async def async_save(self) -> None:
        """Decode the uplinks of all chosen end devices so from now on, the last ones at once."""
        coordinator = self.coordinator
        for device in self.devices:
            before = device.local_decoder.chosen
            device.local_decoder.chosen = self.decoder
            if self.decoder is None:
                coordinator.store.decoders.pop(device.key, None)
                device.local_decoder.failure = None
            else:
                coordinator.store.decoders[device.key] = self.decoder
                changed = self._changed_fields(device, before)
                coordinator.async_correct(device, changed, chosen=True)
            coordinator.decode_again(device)
        await coordinator.store.async_save()
        self._signal()

    @callback
    def _signal(self) -> None:
        # A repair's issue is deleted when it ends; it is raised again for other end devices.
        hass, signals = self.coordinator.hass, self.coordinator.signals
        hass.loop.call_soon(async_dispatcher_send, hass, signals.undecoded_changed)

    def _changed_fields(self, device: EndDeviceState, before: Decoder | None) -> dict[str, Meaning]:
        """Return other decisions on known fields: those whose unit or row is another one now."""
        assert self.decoder is not None
        rows = {row.name: row for row in self.decoder.table.rows} if self.decoder.table else {}
        earlier = before.table.rows if before is not None and before.table is not None else ()
        edited = {row.name for row in earlier if rows.get(row.name, row) != row}
        changed: dict[str, Meaning] = {}
        for (owner, _, _), decoded in zip(self.frames, self.decode_frames(), strict=True):
            if owner is not device or isinstance(decoded, DecodeError):
                continue
            for path, now in understand(decoded, decisions={}, context=device.context).new.items():
                known = self.coordinator.fields.automatic(device.key, path)
                stated = now.source is Source.FORMATTER and path in decoded.get(SENSOR_ATTR, ())
                if known is not None and (stated or path in edited) and _differ(now, known):
                    changed.setdefault(path, now)
        return changed

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders for the texts of its dialogues."""
        return {
            "device": escape_markdown(self.devices[0].name),
            "devices": "\n".join(f"- {escape_markdown(device.name)}" for device in self.devices),
            "count": str(len(self.devices)),
            "frames": "\n\n".join(
                f"{escape_markdown(device.name)}, f_port {port}:\n\n{_numbered(payload)}"
                for device, port, payload in self.frames
            )
            or "-",
        }


def _differ(now: Meaning, known: Meaning) -> bool:
    ours = (now.kind, now.quantity, now.unit, now.role, now.scale)
    return ours != (known.kind, known.quantity, known.unit, known.role, known.scale)


def _numbered(payload: bytes) -> str:
    """Return bytes as code, in lines of ten with the number of each first byte."""
    lines = [
        f"{at:>3}: {payload[at : at + 10].hex(' ').upper()}" for at in range(0, len(payload), 10)
    ]
    return "\n".join(["```", *lines[:6], *(["…"] if len(lines) > 6 else []), "```"])


def _shown(value: Value, unit: str | None) -> str:
    if isinstance(value, Position):
        return f"{value.latitude:.5f}, {value.longitude:.5f}"
    if value is None:
        return "?"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    text = f"{value:.12g}" if isinstance(value, float) else str(value)[:_LONGEST_VALUE]
    return f"{text} {unit}" if unit else text
