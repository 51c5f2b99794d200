"""Stored decisions keep names apart."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.thethingsstack.application.store import ApplicationStore
from custom_components.thethingsstack.end_devices import UplinkHistory
from custom_components.thethingsstack.fields.decisions import FieldDecisions
from custom_components.thethingsstack.payload import Category, Kind, Meaning, Role


def meaning(name: str | None, kind: Kind = Kind.SENSOR) -> Meaning:
    """Return a meaning with this name; None is the quantity's own."""
    return Meaning(
        kind=kind,
        quantity="temperature",
        unit="°C",
        role=Role.MEASUREMENT,
        category=Category.PRIMARY,
        enabled=True,
        name=name,
        rule="test",
        reason="test",
    )


async def test_a_later_field_of_the_same_name_gets_a_number(hass: HomeAssistant) -> None:
    """The first keeps its name for ever; ignored fields take none."""
    decisions = FieldDecisions(hass, "entry", lambda _key: None)
    decisions.remember("device", {"a": meaning(None), "ignored": meaning("Probe", Kind.IGNORE)})
    kept = decisions.remember("device", {"b": meaning(None), "c": meaning("temperature")})
    assert [m.name for m in kept.values()] == ["Temperature 2", "temperature 3"]
    kept = decisions.remember("device", {"d": meaning("Probe")})
    assert kept["d"].name == "Probe"
    assert decisions.of("device")["a"].name is None


async def test_a_device_can_change_its_key_and_be_forgotten(
    hass: HomeAssistant, hass_storage: dict[str, dict[str, object]]
) -> None:
    """Decisions move along, and so does what is known of the device."""
    store = ApplicationStore(hass, "entry", UplinkHistory.from_stored)
    decisions = FieldDecisions(hass, "entry", store.model_of)
    store.remember_device("old", {"device_id": "node", "dev_eui": None, "model": "a/b"})
    decisions.remember("old", {"a": meaning(None)})
    for part in (store, decisions):
        part.rename_device("old", "new")
        await part.async_save()
    assert decisions.of("old") == {}

    store = ApplicationStore(hass, "entry", UplinkHistory.from_stored)
    decisions = FieldDecisions(hass, "entry", store.model_of)
    await store.async_load("Garden")
    await decisions.async_load("Garden")
    assert store.known_devices == {"new": {"device_id": "node", "model": "a/b"}}
    assert store.model_of("new") == "a/b"
    assert decisions.of("new") == {"a": meaning(None)}
    store.forget_device("new")
    decisions.forget("new")
    assert store.known_devices == {}
    assert decisions.of("new") == {}
    await store.async_remove()
    await decisions.async_remove()
    assert not [key for key in hass_storage if key.startswith("thethingsstack.entry")]


async def test_a_view_of_decisions_follows_them_and_cannot_be_written(hass: HomeAssistant) -> None:
    decisions = FieldDecisions(hass, "entry", lambda _key: None)
    view = decisions.of("device")
    decisions.remember("device", {"a": meaning(None)})
    assert view == {"a": meaning(None)}
    with pytest.raises(TypeError):
        view["b"] = meaning(None)  # type: ignore[index]
