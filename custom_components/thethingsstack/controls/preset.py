"""Presets: controls for models whose downlink commands are publicly documented."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
import logging
from pathlib import Path
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.yaml import load_yaml

from ..client import VersionIds
from ..const import DOMAIN
from ..fields import DEVICES_FOLDER, OWN_DEVICES_FOLDER
from ..issues import clear_issues, raise_issue
from .model import Control, InvalidControlError

_LOGGER = logging.getLogger(__name__)

OWN_PRESETS = f"{DOMAIN}/presets"
"""Folder for the user's own presets, in Home Assistant's configuration folder."""
_ISSUE = "preset_file_"
_COMMON = ("f_port", "confirmed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The controls of a model."""

    id: str
    name: str
    models: frozenset[str]
    """Brand and model in the Device Repository, as brand/model."""
    source: str
    """The public document that the commands are from."""
    controls: tuple[Mapping[str, Any], ...]

    def controls_of(self, device: str) -> list[Control]:
        """Return the controls for an end device, by its key."""
        return [
            Control.from_dict({**control, "device": device, "preset": self.id})
            for control in self.controls
        ]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a preset; raises InvalidControlError, KeyError, TypeError or AttributeError."""
        common = {key: data[key] for key in _COMMON if key in data}
        preset = cls(
            id=str(data["id"]),
            name=str(data["name"]),
            models=frozenset(str(model).casefold() for model in data.get("models") or ()),
            source=str(data["source"]),
            controls=tuple({**common, **_plain(control)} for control in data["controls"]),
        )
        if not preset.controls:
            raise InvalidControlError("there are no controls")
        preset.controls_of("")
        return preset


async def async_presets(hass: HomeAssistant) -> dict[str, Preset]:
    """Return all presets by id; the user's own replace built-in ones of the same id.

    What is wrong with the user's own files is told in issues, until they are read without.
    """
    folders = {name: Path(hass.config.path(name)) for name in (OWN_PRESETS, OWN_DEVICES_FOLDER)}
    problems: dict[str, list[str]] = {}

    def read_all() -> dict[str, Preset]:
        presets = dict(built_in())
        for name, folder in folders.items():
            wrong: dict[str, list[str]] = {}
            presets |= read_folder(folder, wrong)
            problems.update({f"{name}/{file}": found for file, found in wrong.items()})
        return presets

    presets = await hass.async_add_executor_job(read_all)
    clear_issues(hass, _ISSUE, keep=problems)
    for file, found in problems.items():
        raise_issue(
            hass,
            f"{_ISSUE}{file}",
            "preset_file_wrong",
            {"file": file, "reason": "; ".join(found)},
        )
    return presets


def presets_of(versions: VersionIds | None, presets: Mapping[str, Preset]) -> list[Preset]:
    """Return the presets for a model; `versions` are an end device's, `None` without a model."""
    if versions is None:
        return []
    model = f"{versions.brand_id}/{versions.model_id}".casefold()
    return [preset for preset in presets.values() if model in preset.models]


@cache
def built_in() -> dict[str, Preset]:
    """Return the built-in presets; reads the files that have any on the first call."""
    files = (path for path in sorted(DEVICES_FOLDER.glob("*.yaml")) if _has_presets(path))
    return {preset.id: preset for path in files for preset in _read(path, [])}


def _has_presets(path: Path) -> bool:
    """Return whether a file of the model library does; most have only fields, and many."""
    return any(line.startswith(b"presets:") for line in path.read_bytes().splitlines())


def read_folder(folder: Path, problems: dict[str, list[str]] | None = None) -> dict[str, Preset]:
    """Return the presets of all files in a folder, by id; blocks on the disk.

    What is wrong is logged, and added to `problems` by the name of the file.
    """
    presets: dict[str, Preset] = {}
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        wrong: list[str] = []
        presets |= {preset.id: preset for preset in _read(path, wrong)}
        if wrong and problems is not None:
            problems[path.name] = wrong
    return presets


def _read(path: Path, problems: list[str]) -> Iterator[Preset]:
    """Yield the presets of a file; invalid ones are logged, skipped and added to `problems`."""
    try:
        items: Any = load_yaml(str(path)) or []
    except (HomeAssistantError, OSError, RecursionError) as err:
        _LOGGER.warning("The presets in %s can't be read: %s", path, err)
        problems.append(str(err))
        return
    if isinstance(items, Mapping) and "id" not in items:  # a file of the model library
        items = items.get("presets") or []
    for item in items if isinstance(items, list) else [items]:
        try:
            yield Preset.from_dict(item)
        except (InvalidControlError, KeyError, RecursionError, TypeError, AttributeError) as err:
            name = item.get("id") if isinstance(item, Mapping) else item
            _LOGGER.warning("The preset %s in %s makes no sense: %r", name, path, err)
            problems.append(f"{name}: {_in_words(err)}")


def _in_words(err: Exception) -> str:
    """Return why a preset makes no sense."""
    if isinstance(err, KeyError):
        return f"{err} is missing"
    return str(err) if isinstance(err, InvalidControlError) else f"it can't be read ({err})"


def _plain(node: Any) -> Any:
    """Return parsed YAML with booleans turned back into the words on and off."""
    if not isinstance(node, Mapping):
        return node
    return {
        {True: "on", False: "off"}.get(key, key) if isinstance(key, bool) else key: (
            {True: "on", False: "off"}[item]
            if isinstance(item, bool) and key not in _COMMON
            else _plain(item)
        )
        for key, item in node.items()
    }
