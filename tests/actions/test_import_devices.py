"""The actions that import and export many end devices, as people call them."""

import json
from pathlib import Path

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.thethingsstack.const import DOMAIN
from tests.ha_fixtures import make_entry, set_up
from tests.simulator import Simulator

from .test_end_devices import call, refusal

KEY = "00112233445566778899AABBCCDDEEFF"
PLAN = {"frequency_plan": "EU_863_870_TTN", "lorawan_version": "1.0.3"}
FILE = f"""id;dev_eui;app_key;name;remark
loft-one;70B3D57ED0A60001;{KEY};Loft one;north
loft-two;70B3D57ED0A6;{KEY};Loft two;south
loft-one;70B3D57ED0A60003;;;
"""


@pytest.fixture
async def entry(hass: HomeAssistant, sim: Simulator) -> MockConfigEntry:
    """The application with a key that may manage it."""
    return await set_up(hass, sim, make_entry(sim, "manage"))


async def test_import(hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry) -> None:
    """First only checked, then registered; each row says what became of it, without keys."""
    checked = await call(hass, "import_devices", content=FILE, dry_run=True, **PLAN)
    assert checked["counts"] == {"ready": 1, "refused": 2}
    assert checked["notes"] == ["Not taken over: remark"]
    wrong_eui = "70B3D57ED0A6 is no EUI: an EUI has 16 hexadecimal digits."
    assert [item["problems"] for item in checked["end_devices"]] == [
        [],
        [f"dev_eui: {wrong_eui} Spaces, colons and dashes are welcome"],
        ["app_key is missing", "id: Line 2 has the same: loft-one"],
    ]
    assert "loft-one" not in sim.devices
    answer = await call(hass, "import_devices", content=FILE, **PLAN)
    assert answer["counts"] == {"refused": 2, "registered": 1}
    assert answer["end_devices"][0]["status"] == "registered"
    assert sim.devices["loft-one"].documents["js"]["root_keys"]["app_key"]["key"] == KEY
    await hass.async_block_till_done()
    state = entry.runtime_data.roster.by_device_id("loft-one")
    device = dr.async_get(hass).async_get(state.registry_id)
    assert device is not None
    assert device.name == "Loft one"
    again = await call(hass, "import_devices", content=FILE, **PLAN)
    assert again["counts"] == {"present": 1, "refused": 2}
    assert KEY not in str((checked, answer, again))


async def test_files_are_read_only_where_that_is_allowed(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, tmp_path: Path
) -> None:
    (path := tmp_path / "devices.csv").write_text(FILE)
    error = await refusal(hass, "import_devices", file=str(path), **PLAN)
    assert error.translation_key == "import_not_allowed"
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    answer = await call(hass, "import_devices", file=str(path), dry_run=True, **PLAN)
    assert answer["counts"] == {"ready": 1, "refused": 2}
    error = await refusal(hass, "import_devices", file=str(tmp_path / "none.csv"))
    assert error.translation_key == "import_unreadable"
    path.write_bytes(b"x" * 10_000_001)
    error = await refusal(hass, "import_devices", file=str(path))
    assert error.translation_key == "import_too_large"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (None, "import_nothing_named"),
        ("", "import_empty_file"),
        ("a;b\n1;2", "import_no_known_columns"),
        ('id\n"x', "import_invalid_csv"),
        ("{", "import_invalid_json"),
        ("id\n" + "x\n" * 10_001, "import_too_many_devices"),
    ],
    ids=["nothing", "empty", "columns", "csv", "json", "many"],
)
async def test_what_is_no_file(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry, content: str | None, key: str
) -> None:
    data = {} if content is None else {"content": content}
    assert (await refusal(hass, "import_devices", **data)).translation_key == key


async def test_a_key_that_may_not_register(hass: HomeAssistant, sim: Simulator) -> None:
    """Said before the file is read."""
    await set_up(hass, sim, make_entry(sim, "read"))
    error = await refusal(hass, "import_devices", content=FILE)
    assert error.translation_key == "management_missing_rights"


async def test_export_and_import_again(
    hass: HomeAssistant, sim: Simulator, entry: MockConfigEntry
) -> None:
    await call(hass, "import_devices", content=FILE, **PLAN)
    without = await call(hass, "export_devices", format="json")
    assert KEY not in json.dumps(without)
    assert without["devices"] == len([d for d in sim.devices.values() if "is" in d.documents])
    exported = await call(hass, "export_devices", format="json", include_keys=True)
    await call(hass, "delete_device", end_device_id="loft-one", confirm="loft-one")
    (text,) = exported["files"].values()
    answer = await call(hass, "import_devices", content=text)
    statuses = {item["end_device_id"]: item["status"] for item in answer["end_devices"]}
    assert statuses["loft-one"] == "registered"
    assert sim.devices["loft-one"].documents["js"]["root_keys"]["app_key"]["key"] == KEY


@pytest.mark.parametrize("action", ["import_devices", "export_devices"])
async def test_only_administrators(
    hass: HomeAssistant,
    sim: Simulator,
    entry: MockConfigEntry,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            action,
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )
