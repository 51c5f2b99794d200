"""Read the Device Repository: brands, models, registration templates and formatters."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from . import json_values
from .api import SMALL_PAGE, Calls, quoted
from .formatters import Formatters
from .models import VersionIds

type Codec = Literal["uplink_decoder", "downlink_encoder", "downlink_decoder"]

_BRAND_FIELDS = ("name", "private_enterprise_number", "website", "logo")
_MODEL_FIELDS = (
    "name",
    "description",
    "hardware_versions",
    "firmware_versions",
    "sensors",
    "photos",
    "product_url",
    "datasheet_url",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A manufacturer of end devices."""

    brand_id: str
    name: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a brand; one without name has its id."""
        brand_id = json_values.text(data.get("brand_id")) or ""
        return cls(brand_id=brand_id, name=json_values.text(data.get("name")) or brand_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareVersion:
    """A firmware version, with its hardware versions and bands."""

    version: str
    hardware_versions: tuple[str, ...]
    bands: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an item of `firmware_versions`."""
        return cls(
            version=json_values.text(data.get("version")) or "",
            hardware_versions=json_values.texts(data.get("supported_hardware_versions")),
            bands=tuple(json_values.mapping(data.get("profiles"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceModel:
    """A model of end devices; `sensors` are the repository's names of what it measures."""

    brand_id: str
    model_id: str
    name: str
    description: str | None = None
    firmware_versions: tuple[FirmwareVersion, ...] = ()
    sensors: tuple[str, ...] = ()
    product_url: str | None = None
    datasheet_url: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a model; one without name has its id."""
        model_id = json_values.text(data.get("model_id")) or ""
        return cls(
            brand_id=json_values.text(data.get("brand_id")) or "",
            model_id=model_id,
            name=json_values.text(data.get("name")) or model_id,
            description=json_values.text(data.get("description")),
            firmware_versions=tuple(
                FirmwareVersion.from_json(item)
                for item in json_values.objects(data.get("firmware_versions"))
            ),
            sensors=json_values.texts(data.get("sensors")),
            product_url=json_values.text(data.get("product_url")),
            datasheet_url=json_values.text(data.get("datasheet_url")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTemplate:
    """Data for the registration of an end device, from a model or a QR code."""

    dev_eui: str | None = None
    join_eui: str | None = None
    version_ids: VersionIds | None = None
    lorawan_version: str | None = None
    lorawan_phy_version: str | None = None
    supports_join: bool = True
    supports_class_b: bool = False
    supports_class_c: bool = False
    mac_settings: Mapping[str, Any]
    formatters: Formatters | None = None
    serial_number: str | None = None
    vendor_id: int | None = None
    vendor_profile_id: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read an `end_device_template`, or the answer of a template call."""
        device = json_values.mapping(data.get("end_device"))
        ids = json_values.mapping(device.get("ids"))
        profile = json_values.mapping(device.get("lora_alliance_profile_ids"))
        paths = json_values.texts(json_values.mapping(data.get("field_mask")).get("paths"))
        formatters = device.get("formatters")
        return cls(
            dev_eui=json_values.hexadecimal(ids.get("dev_eui")),
            join_eui=json_values.hexadecimal(ids.get("join_eui")),
            version_ids=VersionIds.read(device.get("version_ids")),
            lorawan_version=json_values.text(device.get("lorawan_version")),
            lorawan_phy_version=json_values.text(device.get("lorawan_phy_version")),
            # False is omitted in templates that have this field.
            supports_join=device.get("supports_join") is True or "supports_join" not in paths,
            supports_class_b=device.get("supports_class_b") is True,
            supports_class_c=device.get("supports_class_c") is True,
            mac_settings=json_values.mapping(device.get("mac_settings")),
            formatters=Formatters.from_json(formatters) if isinstance(formatters, dict) else None,
            serial_number=json_values.text(device.get("serial_number")),
            vendor_id=json_values.integer(profile.get("vendor_id")),
            vendor_profile_id=json_values.integer(profile.get("vendor_profile_id")),
        )

    @classmethod
    def of_device(cls, device: Mapping[str, Any]) -> Self:
        """Return a template from a registered end device (`EndDevices.details`).

        Without EUIs and serial number, since it is for another device of the same model.
        """
        template = {"end_device": device, "field_mask": {"paths": ["supports_join"]}}
        return replace(cls.from_json(template), dev_eui=None, join_eui=None, serial_number=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFormatter:
    """A model's payload formatter, with its manufacturer's examples."""

    kind: str
    script: str
    codec_id: str | None
    examples: Sequence[Mapping[str, Any]]

    @property
    def example_payloads(self) -> list[Mapping[str, Any]]:
        """Return what the examples that it can decode come out as."""
        outputs = (json_values.mapping(example.get("output")) for example in self.examples)
        payloads = (json_values.mapping(o.get("data")) for o in outputs if not o.get("errors"))
        return [payload for payload in payloads if payload]


class Repository:
    """The server's Device Repository; reading it needs no right."""

    def __init__(self, calls: Calls) -> None:
        """Make requests with `calls`."""
        self._calls = calls

    async def brands(self, search: str | None = None) -> AsyncGenerator[Brand]:
        """Yield the brands sorted by name; all, or those whose ID or name has all words of a text.

        The words may be parts of words: that is searched here, since servers find whole ones only.
        """
        pages = self._calls.pages(
            "dr/brands", "brands", _BRAND_FIELDS, size=SMALL_PAGE, params={"order_by": "name"}
        )
        async for item in pages:
            brand = Brand.from_json(item)
            if _has_words(search, brand.brand_id, brand.name):
                yield brand

    async def models(
        self, brand_id: str | None = None, search: str | None = None
    ) -> AsyncGenerator[DeviceModel]:
        """Yield the models of one brand or of all, sorted by name; `search` as in `brands`.

        Searched are the IDs of brand and model, the name and the description.
        """
        path = "dr/models" if brand_id is None else f"dr/brands/{quoted(brand_id)}/models"
        pages = self._calls.pages(
            path, "models", _MODEL_FIELDS, size=SMALL_PAGE, params={"order_by": "name"}
        )
        async for item in pages:
            model = DeviceModel.from_json(item)
            texts = (model.brand_id, model.model_id, model.name, model.description or "")
            if _has_words(search, *texts):
                yield model

    async def model(self, brand_id: str, model_id: str) -> DeviceModel:
        """Return one model; raises NotFound."""
        params = {"field_mask": _MODEL_FIELDS}
        return DeviceModel.from_json(
            await self._calls.object("GET", _model_path(brand_id, model_id), params=params)
        )

    async def template(
        self, brand_id: str, model_id: str, firmware_version: str, band_id: str
    ) -> DeviceTemplate:
        """Return the registration template of a model and firmware version for a band.

        Raises NotFound where the model, the version or a profile for the band doesn't exist.
        """
        version = f"{quoted(firmware_version)}/{quoted(band_id)}"
        path = f"{_model_path(brand_id, model_id)}/{version}/template"
        return DeviceTemplate.from_json(await self._calls.object("GET", path))

    async def template_of_profile(self, vendor_id: int, vendor_profile_id: int) -> DeviceTemplate:
        """Return the template for the model numbers in a LoRaWAN QR code; raises NotFound."""
        path = f"dr/vendors/{vendor_id}/profiles/{vendor_profile_id}/template"
        return DeviceTemplate.from_json(await self._calls.object("GET", path))

    async def formatter(self, version_ids: VersionIds, codec: Codec) -> RepositoryFormatter:
        """Return a model's formatter; raises NotFound where it has none."""
        versions = (
            f"{quoted(version_ids.firmware_version or '')}/{quoted(version_ids.band_id or '')}"
        )
        model = _model_path(version_ids.brand_id or "", version_ids.model_id or "")
        path = f"{model}/{versions}/formatters/{codec.replace('_', '/')}"
        fields = ("formatter", "formatter_parameter", "codec_id", "examples")
        answer = await self._calls.object("GET", path, params={"field_mask": fields})
        return RepositoryFormatter(
            kind=json_values.text(answer.get("formatter")) or "",
            script=json_values.text(answer.get("formatter_parameter")) or "",
            codec_id=json_values.text(answer.get("codec_id")),
            examples=json_values.objects(answer.get("examples")),
        )


def _has_words(search: str | None, *texts: str) -> bool:
    """Return whether each word of a search text occurs in one of the texts, whatever their case."""
    return all(
        any(word in text.lower() for text in texts) for word in (search or "").lower().split()
    )


def _model_path(brand_id: str, model_id: str) -> str:
    return f"dr/brands/{quoted(brand_id)}/models/{quoted(model_id)}"
