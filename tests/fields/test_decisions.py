"""Stored decisions keep names apart."""

from homeassistant.core import HomeAssistant

from custom_components.thethingsstack.fields.decisions import FieldStore
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
    store = FieldStore(hass, "entry")
    store.remember("device", {"a": meaning(None), "ignored": meaning("Probe", Kind.IGNORE)})
    kept = store.remember("device", {"b": meaning(None), "c": meaning("temperature")})
    assert [m.name for m in kept.values()] == ["Temperature 2", "temperature 3"]
    kept = store.remember("device", {"d": meaning("Probe")})
    assert kept["d"].name == "Probe"
    assert store.decisions("device")["a"].name is None


async def test_a_device_can_change_its_key_and_be_forgotten(
    hass: HomeAssistant, hass_storage: dict[str, dict[str, object]]
) -> None:
    """Decisions move along."""
    store = FieldStore(hass, "entry")
    store.remember_device("old", {"device_id": "node", "dev_eui": None})
    store.remember("old", {"a": meaning(None)})
    store.rename_device("old", "new")
    assert store.known_devices == {"new": {"device_id": "node"}}
    assert store.decisions("old") == {}
    await store.async_save()

    again = FieldStore(hass, "entry")
    await again.async_load()
    assert again.decisions("new") == {"a": meaning(None)}
    again.forget("new")
    assert again.known_devices == {}
    await again.async_remove()
    assert "thethingsstack.entry" not in hass_storage
