"""The Device Repository: brands, models, templates, formatters."""

from dataclasses import dataclass
import re
from typing import Any

from . import registry
from .encoding import encode_bytes, get_path, prune, select
from .errors import NOT_FOUND, RefusedError
from .http_server import Call, Route, caller
from .model import Stack
from .network import DATA

_STORE = "pkg/devicerepository/store/remote"


@dataclass(frozen=True)
class Model:
    """A model with one hardware and one firmware version."""

    brand_id: str
    model_id: str
    name: str
    sensors: tuple[str, ...] = ()
    product_url: str | None = None
    profile: str = "a-profile"
    class_c: bool = False
    codec: str | None = None
    decoder: str | None = None
    hardware: str = "1.0"
    firmware: str = "1.0"
    bands: tuple[str, ...] = ("EU_863_870",)
    examples: tuple[dict[str, Any], ...] = ()
    """Decoded payloads of frames that the codec gives as examples."""
    vendor: tuple[int, int] | None = None
    """Vendor and profile in QR codes."""

    def document(self) -> dict[str, Any]:
        """Return it as the API has it."""
        profile = {"profile_id": self.profile, "lorawan_certified": True, "codec_id": self.codec}
        firmware = {
            "version": self.firmware,
            "numeric": 1,
            "supported_hardware_versions": [self.hardware],
            "profiles": {band: prune(profile) for band in self.bands},
        }
        return {
            "brand_id": self.brand_id,
            "model_id": self.model_id,
            "name": self.name,
            "description": self.name,
            "hardware_versions": [{"version": self.hardware, "numeric": 1}],
            "firmware_versions": [firmware],
            "sensors": list(self.sensors),
            "product_url": self.product_url,
        }

    def template(self, band_id: str) -> dict[str, Any]:
        """Return how a device of this model is registered."""
        settings: dict[str, Any] = {"supports_32_bit_f_cnt": True}
        if self.class_c:
            settings["class_c_timeout"] = "8s"
        device = {
            "version_ids": {
                "brand_id": self.brand_id,
                "model_id": self.model_id,
                "firmware_version": self.firmware,
                "band_id": band_id,
            },
            "supports_class_c": self.class_c,
            "lorawan_version": "MAC_V1_0_3",
            "lorawan_phy_version": "PHY_V1_0_3_REV_A",
            "supports_join": True,
            "mac_settings": settings,
        }
        paths = [
            "version_ids",
            "supports_join",
            "supports_class_b",
            "supports_class_c",
            "lorawan_version",
            "lorawan_phy_version",
        ]
        if self.codec is not None:
            kind = "FORMATTER_REPOSITORY"
            device["formatters"] = {"up_formatter": kind, "down_formatter": kind}
            paths.append("formatters")
        paths += [f"mac_settings.{name}" for name in sorted(settings)]
        return {"end_device": prune(device), "field_mask": {"paths": paths}}


BRANDS = {"dragino": "Dragino", "mclimate": "MClimate", "milesight-iot": "Milesight IoT"}
MODELS = (
    Model(
        "dragino",
        "lht65n",
        "LHT65N",
        ("temperature", "humidity", "battery"),
        "https://example.org/",
        codec="lht65n-codec",
        decoder=DATA["lht65n_decoder"],
        vendor=(257, 16962),
    ),
    Model("mclimate", "vicki", "Vicki", ("temperature", "humidity"), codec="vicki-codec"),
    Model(
        "milesight-iot",
        "ws523",
        "WS523 Smart Socket",
        ("power", "current", "voltage"),
        profile="c-profile",
        class_c=True,
        codec="ws523-codec",
    ),
)


class DeviceRepository:
    """The routes below `/dr`; what its world's devices are is there besides the recorded models."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._brands = dict(BRANDS)
        self._models = {(model.brand_id, model.model_id): model for model in MODELS}
        for device in stack.devices():
            ids = device.documents.get("is", {}).get("version_ids") or {}
            brand, name = ids.get("brand_id"), ids.get("model_id")
            if brand and name and (brand, name) not in self._models:
                self._brands.setdefault(brand, brand.replace("-", " ").title())
                self._models[brand, name] = Model(
                    brand,
                    name,
                    name.upper(),
                    codec=f"{name}-codec",
                    hardware=ids.get("hardware_version", "1.0"),
                    firmware=ids.get("firmware_version", "1.0"),
                    bands=("EU_863_870", "US_902_928"),
                )

    def publish(self, model: Model) -> None:
        """Add a model, as when its maker publishes it."""
        self._brands.setdefault(model.brand_id, model.brand_id.title())
        self._models[model.brand_id, model.model_id] = model

    def routes(self) -> list[Route]:
        """Return method, path and handler of each call, with and without an application."""
        routes: list[Route] = []
        for root in ("/dr", "/dr/applications/{application_id}"):
            model = root + "/brands/{brand_id}/models/{model_id}"
            version = model + "/{firmware}/{band_id}"
            routes += [
                ("GET", root + "/brands", self._list_brands),
                ("GET", root + "/models", self._list_models),
                ("GET", root + "/brands/{brand_id}/models", self._list_models),
                ("GET", model, self._get_model),
                ("GET", version + "/template", self._template),
                ("GET", version + "/formatters/{direction}/{codec}", self._formatter),
            ]
        path = "/dr/vendors/{vendor}/profiles/{profile}/template"
        return [*routes, ("GET", path, self._profile_template)]

    async def _list_brands(self, call: Call) -> Any:
        caller(call)
        mask = call.request.query.get("field_mask", "").split(",")
        found = [
            select({"brand_id": brand_id, "name": name}, ["brand_id", *mask])
            for brand_id, name in sorted(self._brands.items())
            if _matches(call, brand_id, name)
        ]
        page = registry.page(call, found, "ListEndDeviceBrandsRequest")
        return {"brands": page} if page else {}

    async def _list_models(self, call: Call) -> Any:
        caller(call)
        brand_id = call.request.match_info.get("brand_id")
        if brand_id is not None and brand_id not in self._brands:
            raise RefusedError(
                NOT_FOUND,
                "pkg/devicerepository",
                "brand_not_found",
                "brand `{brand_id}` not found",
                {"brand_id": brand_id},
            )
        found = [
            _shown(call, model)
            for _, model in sorted(self._models.items())
            if brand_id in (None, model.brand_id)
            and _matches(call, model.brand_id, model.model_id, model.name)
        ]
        page = registry.page(call, found, "ListEndDeviceModelsRequest")
        return {"models": page} if page else {}

    async def _get_model(self, call: Call) -> Any:
        caller(call)
        return _shown(call, self._model(call))

    async def _template(self, call: Call) -> Any:
        caller(call)
        return self._version(call).template(call["band_id"])

    async def _profile_template(self, call: Call) -> Any:
        caller(call)
        wanted = (int(call["vendor"]), int(call["profile"]))
        for model in self._models.values():
            if model.vendor == wanted:
                return model.template(model.bands[0])
        raise RefusedError(
            NOT_FOUND,
            _STORE,
            "vendor_id_not_found",
            "vendor ID `{vendor_id}` not found",
            {"vendor_id": str(wanted[0])},
        )

    async def _formatter(self, call: Call) -> Any:
        caller(call)
        model = self._version(call)
        kind = call["codec"]
        if call["direction"] == "uplink" and kind == "decoder" and model.decoder:
            answer: dict[str, Any] = {
                "formatter": "FORMATTER_JAVASCRIPT",
                "formatter_parameter": model.decoder,
                "codec_id": model.codec,
            }
            if model.examples:
                answer["examples"] = [
                    {
                        "description": "An example",
                        "input": {"f_port": 2, "frm_payload": encode_bytes(b"\x01\x02")},
                        "output": {"data": data} if data else {"errors": ["unknown frame"]},
                    }
                    for data in model.examples
                ]
            return select(answer, call.request.query.get("field_mask", "").split(","))
        text = f"no {kind} defined for codec `{{codec_id}}`"
        raise RefusedError(NOT_FOUND, _STORE, f"no_{kind}", text)

    def _model(self, call: Call) -> Model:
        model = self._models.get((call["brand_id"], call["model_id"]))
        if model is None:
            raise RefusedError(
                NOT_FOUND,
                "pkg/devicerepository",
                "model_not_found",
                "model `{brand_id}/{model_id}` not found",
                {"brand_id": call["brand_id"], "model_id": call["model_id"]},
            )
        return model

    def _version(self, call: Call) -> Model:
        model = self._model(call)
        if call["firmware"] != model.firmware:
            raise RefusedError(
                NOT_FOUND,
                _STORE,
                "firmware_version_not_found",
                "firmware version `{firmware_version}` not found",
                {"firmware_version": call["firmware"]},
            )
        if call["band_id"] not in model.bands:
            raise RefusedError(
                NOT_FOUND,
                _STORE,
                "no_profile_for_band",
                "device does not have a profile for band `{band_id}`",
                {"band_id": call["band_id"]},
            )
        return model


def _shown(call: Call, model: Model) -> dict[str, Any]:
    document = model.document()
    mask = [path for path in call.request.query.get("field_mask", "").split(",") if path]
    paths = [path for path in mask if get_path(document, path) is not None]
    return prune(select(document, ["brand_id", "model_id", *paths]))


def _matches(call: Call, *texts: str) -> bool:
    """Return whether a search finds these texts; it knows whole words only."""
    wanted = call.request.query.get("search", "").lower().split()
    words = {word for text in texts for word in re.split(r"\W+", text.lower())}
    return all(word in words for word in wanted)
