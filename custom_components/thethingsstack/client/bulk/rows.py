"""A row of a file: from its values to a request, or to what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..configuration import check_phy_version, parse_lorawan_version
from ..device_request import DeviceRequest
from ..errors import InvalidRequest, StackError
from ..keys import ROOT_KEYS, SERVER_NAMES, SESSION_KEYS, missing, requirements
from ..models import VersionIds
from .fields import COUNTERS, VERSION_IDS, Field

_MODEL = ("brand_id", "model_id", "firmware_version", "band_id")
_PLAIN = (
    "dev_eui",
    "join_eui",
    "name",
    "description",
    "attributes",
    "location",
    "serial_number",
    "vendor_id",
    "vendor_profile_id",
    "lorawan_version",
    "lorawan_phy_version",
    "frequency_plan_id",
    "supports_class_b",
    "supports_class_c",
    "mac_settings",
    "formatters",
)
"""Fields that a registration has by the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row can't be registered: the column (in JSON the member) if it is one, and the error."""

    column: str | None = None
    error: StackError

    def __str__(self) -> str:
        """Return both in words."""
        text = self.error.message
        return text if self.column is None else f"{self.column}: {text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What of a file is not taken over; `what` are its names."""

    name: Literal["ignored", "session_ignored"]
    what: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it in words."""
        if self.name == "session_ignored":
            return "the session is not taken over: the end device joins anew"
        return f"not taken over: {', '.join(self.what)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An end device in a file; `line` is where it begins.

    ID, DevEUI and name are as they are written where they are wrong, and empty where they are
    missing. `request` is None where there are problems.
    """

    line: int
    device_id: str
    dev_eui: str
    name: str
    request: DeviceRequest | None = field(repr=False)
    problems: tuple[Problem, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(slots=True, kw_only=True)
class Draft:
    """What a row has: `given` as it is written, `values` those of it that are right."""

    line: int
    labels: Mapping[str, str] = field(default_factory=dict)
    """What a field is called in the file, by its name; the same where it isn't named."""
    given: dict[str, Any] = field(default_factory=dict, repr=False)
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def read(self, item: Field, value: Any) -> None:
        """Take a field's value; a wrong one becomes a problem."""
        self.given[item.name] = value
        try:
            self.values[item.name] = item.read(value)
        except StackError as error:
            self.refuse(error, item.name)

    def refuse(self, error: StackError, name: str | None = None) -> None:
        """Add a problem; `name` is the field's."""
        column = None if name is None else self.labels.get(name, name)
        self.problems.append(Problem(column=column, error=error))

    @property
    def joins(self) -> bool:
        """Whether the end device joins: it says so, has a root key, or has no session."""
        return bool(
            self.values.get("supports_join")
            or any(key in self.given for key in ROOT_KEYS)
            or "dev_addr" not in self.given
        )

    @property
    def model(self) -> tuple[str, str, str, str] | None:
        """Brand, model, firmware version and band; None unless all are given."""
        brand, model, firmware, band = (self.values.get(name) for name in _MODEL)
        return (brand, model, firmware, band) if brand and model and firmware and band else None


class Rows:
    """Makes rows of drafts; knows the IDs and EUIs of the earlier ones."""

    def __init__(self) -> None:
        """Start before the first row."""
        self._lines: dict[tuple[str, ...], int] = {}

    def add(self, draft: Draft) -> Row:
        """Return the row that a draft is."""
        values = draft.values
        if "id" not in draft.given and "dev_eui" in values:
            values["id"] = f"eui-{values['dev_eui'].lower()}"
        _check_phy_version(draft)
        _check_complete(draft)
        self._check_new(draft)
        if draft.joins and "dev_addr" in draft.given:
            draft.notes.append(Note(name="session_ignored"))

        def shown(name: str) -> str:
            return str(values.get(name) or draft.given.get(name, ""))

        return Row(
            line=draft.line,
            device_id=shown("id"),
            dev_eui=shown("dev_eui"),
            name=shown("name"),
            request=None if draft.problems else _request(draft),
            problems=tuple(draft.problems),
            notes=tuple(draft.notes),
        )

    def _check_new(self, draft: Draft) -> None:
        """Refuse an ID or EUIs that an earlier row has."""
        values = draft.values
        euis = (values.get("dev_eui", ""), values.get("join_eui", ""))
        for name, key, what in (
            ("id", (values.get("id", ""),), "device ID"),
            ("dev_eui", euis, "DevEUI"),
        ):
            if not key[0]:
                continue
            if (line := self._lines.setdefault(key, draft.line)) != draft.line:
                text = f"line {line} has the same {what} `{key[0]}`"
                attributes = {"line": line, "value": key[0]}
                error = InvalidRequest(text, name="twice_in_file", attributes=attributes)
                draft.refuse(error, name)


def _check_phy_version(draft: Draft) -> None:
    version = draft.values.get("lorawan_version")
    phy_version = draft.values.get("lorawan_phy_version")
    if version and phy_version:
        try:
            check_phy_version(version, phy_version)
        except InvalidRequest as error:
            draft.refuse(error, "lorawan_phy_version")


def _check_complete(draft: Draft) -> None:
    """Refuse what is missing whatever the network; the rest is known with the model's template."""
    joins = draft.joins
    if joins and "dev_eui" not in draft.given:
        draft.refuse(missing("dev_eui"))
    version = draft.values.get("lorawan_version")
    if version is None:
        return
    for key in requirements(parse_lorawan_version(version), joins=joins).keys:
        if SERVER_NAMES.get(key, key) not in draft.given:
            draft.refuse(missing(key))


def _request(draft: Draft) -> DeviceRequest:
    values, joins = draft.values, draft.joins
    versions = {name: values[name] for name in VERSION_IDS if name in values}
    known = {name: values.get(name) for name in _PLAIN}
    if versions:
        known["version_ids"] = VersionIds(**versions)
    names = {key: key for key in ROOT_KEYS} if joins else {k: SERVER_NAMES[k] for k in SESSION_KEYS}
    return DeviceRequest(
        known={"device_id": values.get("id"), **known},
        model=draft.model,
        joins=joins,
        dev_addr=None if joins else values["dev_addr"],
        keys={key: values[name] for key, name in names.items() if name in values},
        counters={} if joins else {name: values[name] for name in COUNTERS if name in values},
    )
