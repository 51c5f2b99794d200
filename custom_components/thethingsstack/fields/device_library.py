"""The library of known models: one file per brand in `devices/`, and the user's own."""

from collections.abc import Iterable, Mapping, Sequence
import logging
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.yaml import load_yaml
import yaml

from ..const import DOMAIN
from ..issues import raise_issue
from ..payload import Brand, LibraryError, ModelFields

_LOGGER = logging.getLogger(__name__)

FOLDER = Path(__file__).parent.parent / "devices"
OWN_FOLDER = f"{DOMAIN}/devices"
"""Folder for the user's own files, in Home Assistant's configuration folder."""
_BRAND = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_UNREADABLE = (
    HomeAssistantError,
    LibraryError,
    OSError,
    RecursionError,
    ValueError,
    yaml.YAMLError,
)
_MOST_PROBLEMS = 10
"""So many entries of one file are named in an issue."""
LIBRARY: HassKey[DeviceLibrary] = HassKey(f"{DOMAIN}_device_library")


class DeviceLibrary:
    """What is known of the models of those brands that were asked for."""

    def __init__(self, own_folder: Path) -> None:
        """Read nothing yet."""
        self._own = own_folder
        self._own_checked = False
        self._brands: dict[str, tuple[Brand, ...]] = {}
        self._models: dict[tuple[str, str | None], ModelFields | None] = {}

    def has(self, brand_id: str | None) -> bool:
        """Return whether nothing needs to be read for a brand."""
        return brand_id is None or brand_id in self._brands

    async def async_load(self, hass: HomeAssistant, brand_ids: Iterable[str | None]) -> None:
        """Read the files of these brands, where they were not read before.

        The first time, all of the user's own files are checked: what can't be read of one is told
        in an issue.
        """
        if not self._own_checked:
            self._own_checked = True
            problems = await hass.async_add_executor_job(problems_in, self._own)
            for name, found in problems.items():
                _report(hass, name, found)
        wanted = {brand for brand in brand_ids if brand is not None and not self.has(brand)}
        if wanted:
            self._brands |= await hass.async_add_executor_job(self._read, sorted(wanted))

    async def async_names(self, hass: HomeAssistant) -> dict[str, str]:
        """Return the names of all brands by ID; nothing else of their files is kept."""
        return await hass.async_add_executor_job(self._names)

    def _names(self) -> dict[str, str]:
        return {
            path.stem: brand.name or path.stem
            for folder in (FOLDER, self._own)
            for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if path.suffix == ".yaml" and (brand := read_brand(folder, path.stem)) is not None
        }

    def models_of(self, brand_id: str) -> list[str]:
        """Return the IDs of a brand's models, sorted; none if its files were not read."""
        named = (brand.models for brand in self._brands.get(brand_id, ()))
        return sorted(frozenset[str]().union(*named))

    def name_of(self, brand_id: str | None) -> str | None:
        """Return the name of a brand; None if its files have none, or were not read."""
        brands = self._brands.get(brand_id, ()) if brand_id is not None else ()
        return next((brand.name for brand in brands if brand.name), None)

    def fields_of(self, brand_id: str | None, model_id: str | None) -> ModelFields | None:
        """Return what is known of a model's fields; None if nothing is, or nothing was read."""
        if brand_id is None or not (brands := self._brands.get(brand_id)):
            return None
        key = (brand_id, model_id)
        if key not in self._models:
            self._models[key] = self._merged(brands, brand_id, model_id)
        return self._models[key]

    @staticmethod
    def _merged(
        brands: tuple[Brand, ...], brand_id: str, model_id: str | None
    ) -> ModelFields | None:
        """Return the fields of all files; the user's own come first."""
        found = [brand.fields_of(model_id) for brand in brands]
        for problem in (problem for fields in found for problem in fields.problems):
            _LOGGER.warning("The model library of %s is not understood: %s", brand_id, problem)
        exact = {path: known for fields in reversed(found) for path, known in fields.exact.items()}
        patterns = tuple(pattern for fields in found for pattern in fields.patterns)
        own = frozenset().union(*(fields.own_paths for fields in found))
        decoder = next((fields.decoder for fields in found if fields.decoder is not None), None)
        if not exact and not patterns and decoder is None:
            return None
        return ModelFields(exact, patterns, own_paths=own, decoder=decoder)

    def _read(self, brand_ids: Iterable[str]) -> dict[str, tuple[Brand, ...]]:
        return {
            brand_id: tuple(
                brand
                for folder in (self._own, FOLDER)
                if (brand := read_brand(folder, brand_id)) is not None
            )
            for brand_id in brand_ids
        }


def async_device_library(hass: HomeAssistant) -> DeviceLibrary:
    """Return the library that all applications share."""
    if (library := hass.data.get(LIBRARY)) is None:
        hass.data[LIBRARY] = library = DeviceLibrary(Path(hass.config.path(OWN_FOLDER)))
    return library


def read_brand(folder: Path, brand_id: str) -> Brand | None:
    """Return what a folder's file of a brand says; None without one, or if it can't be read."""
    if not _BRAND.fullmatch(brand_id):
        return None  # it came with a message, and would become the name of a file
    path = folder / f"{brand_id}.yaml"
    if not path.is_file():
        return None
    try:
        return Brand.from_data(read_file(path))
    except _UNREADABLE as err:
        _LOGGER.warning("The model library in %s can't be read: %s", path, err)
        return None


def read_file(path: Path) -> Mapping[str, Any]:
    """Return what a brand's file says; raises one of the errors in `_UNREADABLE`.

    Those of the library are read without the notes on lines that Home Assistant's own reader
    makes: these would take as much memory as the content.
    """
    if path.parent == FOLDER:
        data: object = _parsed(path.read_bytes())
    else:
        data = load_yaml(str(path))
    if not isinstance(data, Mapping):
        raise LibraryError("a brand's file is an object with name, models and presets")
    return data


def _parsed(text: bytes) -> object:
    if yaml.__with_libyaml__:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    return yaml.safe_load(text)


def problems_in(folder: Path) -> dict[str, Sequence[str]]:
    """Return what is wrong with the user's own files, in words, by their names."""
    found: dict[str, Sequence[str]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in (".yaml", ".yml") and (problems := _problems_of(path)):
            found[path.name] = problems
    return found


def _problems_of(path: Path) -> Sequence[str]:
    if path.suffix != ".yaml" or not _BRAND.fullmatch(path.stem):
        return ["it must be named by the id of a brand, such as milesight-iot.yaml"]
    try:
        return Brand.from_data(read_file(path)).problems
    except _UNREADABLE as err:
        return [str(err)]


def _report(hass: HomeAssistant, name: str, problems: Sequence[str]) -> None:
    shown = [*problems[:_MOST_PROBLEMS], *(["…"] if len(problems) > _MOST_PROBLEMS else [])]
    raise_issue(
        hass,
        f"library_file_{name}",
        "library_file_wrong",
        {"file": f"{OWN_FOLDER}/{name}", "reason": "; ".join(shown)},
    )
