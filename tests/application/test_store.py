"""What is stored of an application: wrong content costs no more than itself."""

from collections.abc import Mapping
from copy import deepcopy
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import get_internal_store_manager
from homeassistant.util import dt as dt_util
import pytest

from custom_components.thethingsstack.application.store import ApplicationStore
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.end_devices import UplinkHistory
from custom_components.thethingsstack.fields.decisions import FieldDecisions

MEANING = {
    "kind": "sensor",
    "quantity": "temperature",
    "unit": "°C",
    "role": "measurement",
    "category": "primary",
    "enabled": True,
    "name": None,
    "rule": "test",
    "reason": "A test.",
}
OVERRIDE = {"path": "a", "device": "garden/1", "name": "Mine"}
APPLICATION: dict[str, Any] = {
    "scope": "garden",
    "received_until": "2026-11-28T05:00:00+00:00",
    "ended_well": True,
    "gaps": [{"since": "2026-11-28T03:00:00+00:00", "until": None}],
    "uncorrected": [{"since": "2026-11-28T01:00:00+00:00", "until": "2026-11-28T02:00:00+00:00"}],
    "frame_counters": {"garden/1": ["SESSION", 7]},
    "interruptions": [
        {
            "since": "2026-11-28T03:00:00+00:00",
            "until": "2026-11-28T04:00:00+00:00",
            "end_devices": {"garden/1": 5},
        }
    ],
    "storage_offer_ignored": False,
    "ignored_presets": ["brand_model"],
    "today": ["2026-11-28", 7],
    "sensors": {"brand/model": ["temperature"]},
    "model_names": {"brand/model": "Model One"},
    "vanished": {"garden/1": "2026-11-27T05:00:00+00:00"},
    "half_created": {"node": {"identity_server": True}},
    "taken_over": ["garden/1"],
    "known_devices": {"garden/1": {"device_id": "node"}, "garden/2": {"device_id": "other"}},
    "uplinks": {
        "garden/1": {
            "interval": {
                "gaps": [600.0, 601.5, 28800.0],
                "days": [[739947, 28800.0]],
                "since": "2026-11-27T05:00:00+00:00",
                "last": "2026-11-28T05:00:00.500000+00:00",
                "f_cnt": 7,
                "assumed": None,
            },
            "airtime": [[498_365, 1.5]],
        }
    },
    "decoders": {
        "garden/1": {"version": 1, "kind": "table", "rows": [{"name": "a", "byte": 0}]},
        "garden/2": {"version": 1, "kind": "cayenne_lpp", "always": True},
    },
}
FIELDS: dict[str, Any] = {
    "overrides": [OVERRIDE, {"path": "b*", "name": "All"}],
    "decisions": {"garden/1": {"a": MEANING, "b": MEANING}, "garden/2": {"a": MEANING}},
    "observations": {"garden/2": {"a": [2, 0, 0.0, 1.0, True]}},
}
HUGE = 2**63
WRONG: list[Any] = [None, True, 0, -1, HUGE, 1.5, 1e308, "", "text", [], [[]], [None], {}, {"a": None}, {"a": []}]  # fmt: skip


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """Keep the storage in a folder of the test's own."""
    (tmp_path / ".storage").mkdir()
    return str(tmp_path)


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Read and write real files."""
    return {}


def path_of(hass: HomeAssistant, ending: str = "") -> Path:
    """Return where a file of the application is stored."""
    return Path(hass.config.path(".storage", f"{DOMAIN}.entry{ending}"))


def write(hass: HomeAssistant, data: Any, ending: str = "", version: Any = 2) -> None:
    """Store data as Home Assistant does."""
    document = {"version": version, "minor_version": 1, "key": f"{DOMAIN}.entry{ending}"}
    path_of(hass, ending).write_text(json.dumps({**document, "data": data}), "utf-8")
    get_internal_store_manager(hass).async_invalidate(f"{DOMAIN}.entry{ending}")


async def load(hass: HomeAssistant) -> tuple[ApplicationStore, FieldDecisions]:
    """Read both files, as a start does."""
    store = ApplicationStore(hass, "entry", UplinkHistory.from_stored)
    await store.async_load("Garden")
    fields = FieldDecisions(hass, "entry", store.model_of)
    await fields.async_load("Garden", store.decisions_of_version_1)
    await hass.async_block_till_done()
    return store, fields


async def saved(hass: HomeAssistant, store: ApplicationStore | FieldDecisions) -> Any:
    """Save; returns what is stored then, as the next start reads it."""
    await store.async_save()
    ending = "" if isinstance(store, ApplicationStore) else ".fields"
    return json.loads(path_of(hass, ending).read_text("utf-8"))["data"]


def kept(hass: HomeAssistant) -> list[str]:
    """Return the names of files that were set aside."""
    folder = Path(hass.config.path(".storage"))
    return sorted(path.name for path in folder.iterdir() if ".corrupt" in path.name)


def issues(hass: HomeAssistant) -> list[Mapping[str, str]]:
    """Return what the repair issues name."""
    registry = ir.async_get(hass)
    return [
        issue.translation_placeholders or {}
        for issue in registry.issues.values()
        if issue.translation_key == "stored_file_unreadable"
    ]


async def test_all_parts_are_read(hass: HomeAssistant) -> None:
    write(hass, APPLICATION)
    write(hass, FIELDS, ".fields", 1)
    store, fields = await load(hass)
    assert await saved(hass, store) == APPLICATION
    assert [override.as_dict() for override in fields.overrides] == FIELDS["overrides"]
    assert fields.of("garden/1")["a"].name == "Mine"
    assert len(fields.of("garden/1")) == 2
    assert (kept(hass), issues(hass)) == ([], [])


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("part", list(APPLICATION))
async def test_a_wrong_part_of_the_application_costs_only_itself(
    hass: HomeAssistant, part: str, wrong: Any
) -> None:
    write(hass, {**APPLICATION, part: wrong})
    store, _ = await load(hass)
    stored = await saved(hass, store)
    for name, value in stored.items():
        if name != part:
            assert value == APPLICATION[name], name
    accepted = json.dumps(stored[part]) == json.dumps(wrong)  # False is not 0
    missing = wrong is None
    assert bool(issues(hass)) is not (accepted or missing)
    assert len(kept(hass)) == len(issues(hass))


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("name", ["device_id", None])
async def test_a_wrong_device_costs_only_itself(
    hass: HomeAssistant, name: str | None, wrong: Any
) -> None:
    data = deepcopy(APPLICATION)
    data["known_devices"]["garden/1"] = {name: wrong} if name else wrong
    write(hass, data)
    store, _ = await load(hass)
    assert store.known_devices["garden/2"] == {"device_id": "other"}
    if "garden/1" in store.known_devices:
        assert isinstance(wrong, str)
    else:
        assert len(issues(hass)) == len(kept(hass)) == 1
        assert json.loads((path_of(hass).parent / kept(hass)[0]).read_text()) == data


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("key", ["gaps", "days", "since", "last", "f_cnt", "assumed", "airtime"])
async def test_wrong_history_of_uplinks_costs_only_itself(
    hass: HomeAssistant, key: str, wrong: Any
) -> None:
    """What is read can be used, and is written again."""
    data = deepcopy(APPLICATION)
    stored = data["uplinks"]["garden/1"]
    data["uplinks"]["garden/2"] = deepcopy(stored)
    (stored if key == "airtime" else stored["interval"])[key] = wrong
    write(hass, data)
    store, _ = await load(hass)
    assert "garden/2" in store.uplinks
    assert len(issues(hass)) == len(kept(hass)) == ("garden/1" not in store.uplinks)
    now = dt_util.parse_datetime("2026-11-28T06:00:00+00:00", raise_on_error=True)
    for history in store.uplinks.values():
        history.forget_future(now)
        history.interval.note(now, 8)
        history.airtime.note(now, 0.5)
        assert history.interval.seconds is None or history.interval.seconds > 0
        assert 0.5 <= history.airtime.in_24_hours(now) < 1e300
    assert set((await saved(hass, store))["uplinks"]) == set(store.uplinks)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("key", list(MEANING))
async def test_a_wrong_decision_costs_only_itself(
    hass: HomeAssistant, key: str, wrong: Any
) -> None:
    data = deepcopy(FIELDS)
    data["decisions"]["garden/1"]["b"] = {**MEANING, key: wrong}
    write(hass, APPLICATION)
    write(hass, data, ".fields", 1)
    _, fields = await load(hass)
    assert fields.of("garden/1")["a"].name == "Mine"
    assert "a" in fields.of("garden/2")
    assert len(fields.overrides) == 2
    assert len(issues(hass)) == len(kept(hass)) == ("b" not in fields.of("garden/1"))
    assert "garden/2" in (await saved(hass, fields))["decisions"]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(
    "where", ["decisions", "overrides", "observations", "one device", "one override"]
)
async def test_wrong_content_of_decisions_costs_only_itself(
    hass: HomeAssistant, where: str, wrong: Any
) -> None:
    data: Any = deepcopy(FIELDS)
    if where in data:
        data[where] = wrong
    elif where == "one device":
        data["decisions"]["garden/1"] = wrong
    else:
        data["overrides"][0] = wrong
    write(hass, APPLICATION)
    write(hass, data, ".fields", 1)
    store, fields = await load(hass)
    assert store.scope == "garden"
    if where != "decisions":
        assert "a" in fields.of("garden/2")
    if where != "overrides":
        assert fields.override("garden/2", "bb") is not None
    assert bool(fields.observations("garden/2")) is (where != "observations")
    empty = wrong in (None, [], {}) and where != "one override"
    assert empty or len(issues(hass)) == len(kept(hass)) == 1
    assert "garden/2" in (await saved(hass, fields))["decisions"] or where == "decisions"


@pytest.mark.parametrize("ending", ["", ".fields"])
@pytest.mark.parametrize(
    "content",
    [
        *(json.dumps(wrong) for wrong in WRONG if wrong not in (None, {})),
        json.dumps({"version": 1}),
        json.dumps({"data": {}}),
        json.dumps({"version": "x", "minor_version": 1, "data": {}}),
        json.dumps({"version": 1, "minor_version": 1, "data": []}),
        json.dumps({"version": 1, "minor_version": 1, "data": "x"}),
    ],
    ids=lambda value: value[:24],
)
async def test_a_wrong_file_is_kept_and_the_other_one_read(
    hass: HomeAssistant, ending: str, content: str
) -> None:
    write(hass, APPLICATION)
    write(hass, FIELDS, ".fields", 1)
    path_of(hass, ending).write_text(content, "utf-8")
    store, fields = await load(hass)
    assert (store.scope == "garden") is (ending == ".fields")
    assert bool(fields.overrides) is (ending == "")
    (name,) = kept(hass)
    assert name.startswith(f"{DOMAIN}.entry{ending}.corrupt")
    assert len(issues(hass)) == 1


@pytest.mark.parametrize("ending", ["", ".fields"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"version": 2, "data": NaN}',
        b'{"version": 2, "data": {"sco',
        b"\x00\xff\xfe",
        b"NaN",
    ],
)
async def test_a_truncated_file_is_kept(hass: HomeAssistant, ending: str, content: bytes) -> None:
    """Home Assistant itself sets aside what is no JSON, with an issue of its own."""
    write(hass, APPLICATION)
    write(hass, FIELDS, ".fields", 1)
    path_of(hass, ending).write_bytes(content)
    store, fields = await load(hass)
    assert (store.scope == "garden") is (ending == ".fields")
    assert bool(fields.overrides) is (ending == "")
    assert len(kept(hass)) == 1
    assert ir.async_get(hass).issues


@pytest.mark.parametrize("ending", ["", ".fields"])
async def test_a_file_of_a_later_version_is_kept(hass: HomeAssistant, ending: str) -> None:
    write(hass, APPLICATION)
    write(hass, FIELDS, ".fields", 1)
    write(hass, {"of": "later"}, ending, version=99)
    later = path_of(hass, ending).read_text()
    store, fields = await load(hass)
    await store.async_save()
    await fields.async_save()
    (name,) = kept(hass)
    assert (path_of(hass).parent / name).read_text() == later
    assert issues(hass)[0]["file"] == name


async def test_decisions_of_an_earlier_version_move_into_their_own_file(
    hass: HomeAssistant,
) -> None:
    devices = {
        key: {"ids": ids, "fields": FIELDS["decisions"][key]}
        for key, ids in APPLICATION["known_devices"].items()
    }
    rest = {name: value for name, value in APPLICATION.items() if name != "known_devices"}
    earlier = {**rest, "overrides": FIELDS["overrides"], "devices": devices}
    write(hass, earlier, version=1)
    for _ in range(2):  # a start that is killed before anything else is saved finds it again
        store, fields = await load(hass)
        assert store.known_devices == APPLICATION["known_devices"]
        assert len(fields.overrides) == 2
        assert fields.of("garden/1")["a"].name == "Mine"
    stored = json.loads(path_of(hass, ".fields").read_text("utf-8"))["data"]
    assert stored == await saved(hass, fields)
    fields.forget("garden/1")  # what is decided since then counts, not the earlier file
    await fields.async_save()
    _, fields = await load(hass)
    assert fields.of("garden/1") == {}
    assert (kept(hass), issues(hass)) == ([], [])
