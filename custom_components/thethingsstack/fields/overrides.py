"""The user's overrides of field decisions, their scopes, and their YAML export."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
import re
from typing import Any, Self

import yaml

from ..payload import Override, plain_text, spelled
from ..payload.override import OVERRIDE_REASONS, SHOWN, InvalidOverrideError

MAX_TEXT = 200_000
MAX_PATTERNS = 200
LONGEST_PATH = 200
_WHERE = ("path", "device", "model", "automatic")
_BOOLEAN = "tag:yaml.org,2002:bool"


OVERRIDES_REASONS = {
    "text_too_long": "The text is too long.",
    "no_yaml": "{error}",
    "no_list": "The text is no list of overrides.",
    "no_override": "Entry {number}: no override.",
    "no_end_device": "Entry {number} ({path}): there is no end device {device}.",
    "no_device_class": "{path}: there is no device class {device_class}.",
    "too_many_patterns": "There are more than {maximum} entries with a pattern.",
    **{key: f"Entry {{number}} ({{path}}): {text}" for key, text in OVERRIDE_REASONS.items()},
}


class OverrideError(ValueError):
    """A text with overrides is invalid; `key` is that of the text that says why."""

    def __init__(self, key: str, **placeholders: object) -> None:
        """Keep the text's key and its placeholders."""
        super().__init__(OVERRIDES_REASONS[key].format(**placeholders))
        self.key = key
        self.placeholders = {name: str(value) for name, value in placeholders.items()}


class Scope(IntEnum):
    """The end devices that an override applies to; the narrower scope wins."""

    EVERYWHERE = 0
    MODEL = 1
    DEVICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOverride:
    """An override with the fields and end devices that it applies to."""

    path: str
    """The field's path; in `Scope.EVERYWHERE` a pattern with * and ?."""
    change: Override
    """If empty, the inferred decision applies in spite of an override of wider scope."""
    device: str | None = None
    """Device key."""
    model: str | None = None
    """Brand and model as in the Device Repository: "dragino/lht65n"."""

    @property
    def scope(self) -> Scope:
        """Return its scope: one end device, a model or all."""
        if self.device is not None:
            return Scope.DEVICE
        return Scope.EVERYWHERE if self.model is None else Scope.MODEL

    def matches(self, device: str, model: str | None, path: str) -> bool:
        """Return whether it applies to this field of this end device."""
        if self.device is not None:
            return self.device == device and self.path == path
        if self.model is not None:
            return self.model == model and self.path == path
        return self.path == path or fnmatchcase(path, self.path.replace("[", "[[]"))

    @property
    def is_pattern(self) -> bool:
        """Return whether its path is a pattern that can match several paths."""
        return self.scope is Scope.EVERYWHERE and ("*" in self.path or "?" in self.path)

    @property
    def place(self) -> tuple[str | None, str | None, str]:
        """Return the unique key of the override: end device, model, path."""
        return (self.device, self.model, self.path)

    def as_dict(self) -> dict[str, Any]:
        """Return this as JSON."""
        where = {"device": self.device, "model": self.model}
        return {
            "path": self.path,
            **{key: value for key, value in where.items() if value is not None},
            **(self.change.as_dict() or {"automatic": True}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read the output of `as_dict`; raises InvalidOverrideError."""
        path, device, model = data.get("path"), data.get("device"), data.get("model")
        if path is None:
            raise InvalidOverrideError("missing", part="path")
        if not isinstance(path, str):
            path = spelled(path)
        if len(path) > LONGEST_PATH:
            raise InvalidOverrideError("too_long", part="path", maximum=LONGEST_PATH)
        for name, value in (("device", device), ("model", model)):
            if value is not None and not plain_text(name, value, LONGEST_PATH):
                raise InvalidOverrideError("missing", part=name)
        if device is not None and model is not None:
            raise InvalidOverrideError("two_places")
        rest = {key: value for key, value in data.items() if key not in _WHERE}
        change = Override.from_dict(rest)
        if not change and data.get("automatic") is not True:
            raise InvalidOverrideError("no_change")
        return cls(path=path, device=device, model=model, change=change)


class FieldOverrides:
    """All overrides of an application."""

    def __init__(self) -> None:
        """Start with none."""
        self._overrides: dict[tuple[str | None, str | None, str], FieldOverride] = {}
        self._patterns: list[FieldOverride] = []

    def __iter__(self) -> Iterator[FieldOverride]:
        """Iterate over all of them."""
        return iter(self._overrides.values())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._overrides)

    def find(self, device: str, model: str | None, path: str) -> FieldOverride | None:
        """Return the override for a field: narrowest scope first, exact path before patterns.

        Of several matching patterns the latest is taken.
        """
        overrides = self._overrides
        found = overrides.get((device, None, path))
        if found is None and model is not None:
            found = overrides.get((None, model, path))
        if found is None:
            found = overrides.get((None, None, path))
        if found is None and self._patterns:
            matching = (item for item in reversed(self._patterns) if item.matches("", None, path))
            found = next(matching, None)
        return found

    def put(self, override: FieldOverride) -> None:
        """Add an override; it replaces an earlier one with the same key."""
        self.drop(override)
        self._overrides[override.place] = override
        if override.is_pattern:
            self._patterns.append(override)

    def drop(self, override: FieldOverride) -> None:
        """Remove an override."""
        if (dropped := self._overrides.pop(override.place, None)) is not None:
            self._patterns = [item for item in self._patterns if item is not dropped]

    def settle(self, override: FieldOverride, device: str, model: str | None, path: str) -> None:
        """Add an override set at one field, and remove narrower ones so that it applies there.

        It replaces the override of the same scope. An empty override is kept only if one of wider
        scope would apply instead.
        """
        before = self.find(device, model, path)
        if before is not None and before.scope is override.scope:
            self.drop(before)
        self.put(override)
        while (found := self.find(device, model, path)) is not None and found is not override:
            self.drop(found)
        if not override.change:
            self.drop(override)
            if self.find(device, model, path) is not None:
                self.put(override)

    def forget(self, device: str) -> None:
        """Remove the overrides of one end device."""
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
        """Replace all overrides with these."""
        self._overrides = {item.place: item for item in overrides}
        self._patterns = [item for item in self if item.is_pattern]

    def as_yaml(self, device_id_of: Callable[[str], str | None]) -> str:
        """Return all overrides as YAML that users can edit and share.

        End devices are written with their id in The Things Stack; overrides of end devices that
        are no longer there are left out.
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
    """Return the overrides in a YAML text; raises OverrideError for an invalid one."""
    if len(text) > MAX_TEXT:
        raise OverrideError("text_too_long")
    try:
        items = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a safe one
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise OverrideError("no_yaml", error=_short(error)) from None
    if items is None:
        return []
    if not isinstance(items, list):
        raise OverrideError("no_list")
    overrides = []
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise OverrideError("no_override", number=number)
        where = str(item.get("path", ""))[:SHOWN]
        try:
            override = FieldOverride.from_dict(item)
        except InvalidOverrideError as error:
            raise OverrideError(
                error.key, number=number, path=where, **error.placeholders
            ) from None
        except ValueError, TypeError:
            raise OverrideError("no_override", number=number) from None
        if override.device is not None:
            key = key_of(override.device)
            if key is None:
                raise OverrideError(
                    "no_end_device", number=number, path=where, device=override.device
                )
            override = FieldOverride(path=override.path, change=override.change, device=key)
        overrides.append(override)
    if sum(override.is_pattern for override in overrides) > MAX_PATTERNS:
        raise OverrideError("too_many_patterns", maximum=MAX_PATTERNS)
    return overrides


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


class _Loader(yaml.SafeLoader):
    """Loads YAML without aliases, whose expansion can be huge, and with "on" as a string."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("Aliases (*name) can't be used here.")
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"(?:true|false)\Z"), ["t", "f"])
