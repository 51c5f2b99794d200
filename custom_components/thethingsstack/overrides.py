"""What users decided about fields, for which end devices, and as one text to pass on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Any, Self

import yaml  # type: ignore[import-untyped]

from .payload import Override

MAX_TEXT = 200_000


class OverrideError(ValueError):
    """A text with overrides that can't be used; says which entry and why."""


class Scope(IntEnum):
    """For which end devices an override counts; the nearer one wins."""

    EVERYWHERE = 0
    MODEL = 1
    DEVICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOverride:
    """An override, the fields that it is for, and the end devices."""

    path: str
    """The field's path; in `Scope.EVERYWHERE` a pattern with * and ?."""
    change: Override
    device: str | None = None
    """Device key."""
    model: str | None = None
    """Brand and model as in the Device Repository: "dragino/lht65n"."""

    @property
    def scope(self) -> Scope:
        """Return for which end devices it counts."""
        if self.device is not None:
            return Scope.DEVICE
        return Scope.EVERYWHERE if self.model is None else Scope.MODEL

    def matches(self, device: str, model: str | None, path: str) -> bool:
        """Return whether it is for this field of this end device."""
        if self.device is not None:
            return self.device == device and self.path == path
        if self.model is not None:
            return self.model == model and self.path == path
        return self.path == path or fnmatchcase(path, self.path)

    @property
    def place(self) -> tuple[str | None, str | None, str]:
        """Return what there is only one override for."""
        return (self.device, self.model, self.path)

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        where = {"device": self.device, "model": self.model}
        return {
            "path": self.path,
            **{key: value for key, value in where.items() if value is not None},
            **self.change.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave; raises ValueError, naming what is wrong."""
        path, device, model = data.get("path"), data.get("device"), data.get("model")
        if not isinstance(path, str) or not path:
            raise ValueError("path: missing")
        for name, value in (("device", device), ("model", model)):
            if value is not None and not (isinstance(value, str) and value):
                raise ValueError(f"{name}: {value!r} is no text")
        if device is not None and model is not None:
            raise ValueError("device and model: only one of them")
        rest = {key: value for key, value in data.items() if key not in ("path", "device", "model")}
        change = Override.from_dict(rest)
        if not change:
            raise ValueError("it changes nothing")
        return cls(path=path, device=device, model=model, change=change)


class FieldOverrides:
    """All overrides of an application."""

    def __init__(self) -> None:
        """Start with none."""
        self._overrides: dict[tuple[str | None, str | None, str], FieldOverride] = {}

    def __iter__(self) -> Iterator[FieldOverride]:
        """Iterate over all of them."""
        return iter(self._overrides.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._overrides)

    def find(self, device: str, model: str | None, path: str) -> FieldOverride | None:
        """Return the one that counts for a field: the nearest, then the one that names it."""
        found = [item for item in self if item.matches(device, model, path)]
        return max(found, key=lambda item: (item.scope, item.path == path), default=None)

    def put(self, override: FieldOverride) -> None:
        """Keep an override; it takes the place of an earlier one."""
        self._overrides[override.place] = override

    def drop(self, override: FieldOverride) -> None:
        """Forget an override."""
        self._overrides.pop(override.place, None)

    def forget(self, device: str) -> None:
        """Forget the overrides of one end device."""
        for item in [item for item in self if item.device == device]:
            self.drop(item)

    def rename(self, old: str, new: str) -> None:
        """Move overrides to another device key."""
        for item in [item for item in self if item.device == old]:
            self.drop(item)
            self.put(
                FieldOverride(path=item.path, change=item.change, device=new, model=item.model)
            )

    def replace(self, overrides: Iterator[FieldOverride]) -> None:
        """Take over these in the place of all."""
        self._overrides = {item.place: item for item in overrides}

    def as_yaml(self, device_id_of: Callable[[str], str | None]) -> str:
        """Return all as a text that people can read, change and pass on.

        End devices stand there with their id in The Things Stack; those that it no longer
        has are left out.
        """
        items = []
        for item in sorted(self, key=lambda item: (-item.scope, item.device or "", item.path)):
            data = item.as_dict()
            if item.device is not None:
                if (device_id := device_id_of(item.device)) is None:
                    continue
                data["device"] = device_id
            items.append(data)
        return yaml.safe_dump(items, allow_unicode=True, sort_keys=False) if items else ""


def read_yaml(text: str, key_of: Callable[[str], str | None]) -> list[FieldOverride]:
    """Return the overrides that a text holds; raises OverrideError where one is wrong."""
    if len(text) > MAX_TEXT:
        raise OverrideError("The text is too long.")
    try:
        items = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise OverrideError(" ".join(str(error).split())) from None
    if items is None:
        return []
    if not isinstance(items, list):
        raise OverrideError("The text is no list of overrides.")
    overrides = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise OverrideError(f"Entry {number}: no override.")
        where = item.get("path", "")
        try:
            override = FieldOverride.from_dict(item)
        except (ValueError, TypeError) as error:
            raise OverrideError(f"Entry {number} ({where}): {error}") from None
        if override.device is not None:
            key = key_of(override.device)
            if key is None:
                raise OverrideError(
                    f"Entry {number} ({where}): there is no end device {override.device}."
                )
            override = FieldOverride(path=override.path, change=override.change, device=key)
        overrides.append(override)
    return overrides
