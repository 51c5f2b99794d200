"""The catalogue of presets: what is in it, and the user's own."""

from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.thethingsstack.controls.kinds import Role
from custom_components.thethingsstack.controls.preset import async_presets, built_in, read_folder
from custom_components.thethingsstack.fields import DEVICES_FOLDER


def no_templates(template: str, value: object) -> str:
    """Render nothing."""
    raise AssertionError(template)


# Model, control, command with value → port and bytes, as the makers' documents give them.
EXAMPLES = [
    ("mclimate_vicki", "Thermostat", "temperature", 22.0, "0e16"),
    ("mclimate_vicki", "Child lock", "on", None, "0701"),
    ("mclimate_wireless_thermostat", "Thermostat", "temperature", 23.0, "2e17"),
    ("mclimate_fan_coil_thermostat", "Thermostat", "temperature", 25.8, "2e0102"),
    ("mclimate_fan_coil_thermostat", "Power", "on", None, "6601"),
    ("mclimate_t_valve", "Valve", "open", None, "010200"),
    ("mclimate_t_valve", "Valve", "close", None, "010003"),
    ("mclimate_16aspm", "Relay", "on", None, "c101"),
    ("mclimate_16ads", "Relay", "off", None, "c100"),
    ("dragino_lt22222", "Relay 1", "on", None, "030111"),
    ("dragino_lt22222", "Relay 2", "off", None, "031100"),
    ("dragino_reporting_interval", "Reporting interval", "set", 60, "0100003c"),
    ("watteco_smartplug", "Socket", "on", None, "1150000601"),
    ("yobiiq_rm200", "Channel 1", "on", None, "ff1b01"),
    ("yobiiq_rm200", "Channel 2", "off", None, "ff2b00"),
    ("mclimate_vicki", "Reporting interval", "set", 10, "020a12"),
    ("mclimate_wireless_thermostat", "Child lock", "on", None, "070114"),
    ("mclimate_wireless_thermostat", "Reporting interval", "set", 9, "020912"),
    ("mclimate_fan_coil_thermostat", "Reporting interval", "set", 3, "020312"),
    ("mclimate_16aspm", "Reporting interval", "set", 15, "020f12"),
    ("mclimate_co2_display", "Child lock", "off", None, "070014"),
    ("mclimate_sensors", "Reporting interval", "set", 10, "020a12"),
    ("nke_smart_plug", "Socket", "on", None, "1150000601"),
    ("tektelic_core_tick", "Core tick", "set", 120, "a000000078"),
    ("milesight_minutes", "Reporting interval", "set", 20, "ff8e001400"),
    ("milesight_wt101", "Reporting interval", "set", 20, "ff8e001400"),
    ("milesight_wt30x", "Heating target", "set", 21.5, "6b6608"),
    ("milesight_wt30x", "Power", "off", None, "6700"),
    ("mclimate_fan_coil_thermostat", "Operating mode", "Heating", None, "5201"),
    ("mclimate_fan_coil_thermostat", "Fan speed", "Low", None, "4402"),
    ("milesight_ws501_v4", "Switch", "on", None, "ff2911"),
    ("milesight_ws502_v4", "Switch 2", "off", None, "ff2920"),
    ("milesight_ws503_v4", "Switch 3", "on", None, "ff2944"),
    ("milesight_ws51x_v3", "Socket", "off", None, "ff2910"),
    ("milesight_ws52x", "Socket", "on", None, "0801ffff"),
    ("milesight_ws558", "Switch 1", "off", None, "080100"),
    ("milesight_ws558", "Switch 8", "on", None, "088080"),
    ("netvox_r809a", "Socket", "on", None, "910e000000000000000000"),
    ("netvox_r816b", "Socket", "off", None, "9073000000000000000000"),
    ("netvox_r831c", "Relay 1", "on", None, "91ad010000000000000000"),
    ("netvox_r831d", "Relay 3", "off", None, "90b0040000000000000000"),
    ("netvox_ra10", "Valve", "off", None, "9071000000000000000000"),
    ("makerfabs_pipe_pressure", "Report interval", "set", 3600, "00000e10"),
    ("micropelt_mlr003", "Thermostat", "temperature", 21.5, "2b0028080000"),
    ("aquascope_bvs", "Valve", "on", None, "02ff"),
    ("aquascope_kfr", "Valve", "off", None, "0700"),
    ("milesight_ws51x", "Socket", "off", None, "0800ffff"),
    ("milesight_ws50x", "Switch 3", "on", None, "ff2944"),
    ("milesight_ws501", "Switch", "off", None, "ff2910"),
    ("milesight_ws502", "Switch 2", "on", None, "ff2922"),
    ("milesight_ws501_eu", "Switch", "off", None, "0810ff"),
    ("milesight_ws502_eu", "Switch 2", "on", None, "0822ff"),
    ("milesight_uc51x", "Valve 1", "open", None, "ff1d2000"),
    ("milesight_uc51x", "Valve 2", "close", None, "ff1d0100"),
    ("milesight_uc300", "Output 2", "on", None, "0801ff"),
    ("milesight_uc50x", "Output 1", "on", None, "0301ffff"),
    ("milesight_uc1114", "Output 2", "on", None, "0a0100ff"),
    ("milesight_uc11xx", "Output", "off", None, "090000ff"),
    ("milesight_wt101", "Child lock", "on", None, "ff2501"),
    ("milesight_sensors", "Reporting interval", "set", 1200, "ff03b004"),
    ("milesight_sensors", "Restart", "press", None, "ff10ff"),
]


@pytest.mark.parametrize(("preset_id", "name", "command", "value", "payload"), EXAMPLES)
def test_commands_are_those_of_the_documents(
    preset_id: str, name: str, command: str, value: float | None, payload: str
) -> None:
    """Bytes as published."""
    controls = {c.name: c for c in built_in()[preset_id].controls_of("key")}
    downlink = controls[name].command_for(command, value)[0].downlink(value, no_templates)
    assert downlink.payload is not None
    assert downlink.payload.hex() == payload
    assert downlink.confirmed


@pytest.mark.parametrize("preset_id", built_in())
def test_every_command_makes_a_downlink(preset_id: str) -> None:
    """For the lowest value, the highest and one between: bytes that fit, or an object."""
    for control in built_in()[preset_id].controls_of("key"):
        low, high = (control.minimum or 0.0), (control.maximum or 100.0)
        for name in (*control.commands, *control.choices):
            for value in (low, (low + high) / 2, high):
                command, _ = control.command_for(name, value)
                downlink = command.downlink(value, no_templates)
                made = downlink.payload or downlink.decoded_payload
                assert made, (control.name, name, value)
                assert downlink.payload is None or len(downlink.payload) <= 51, control.name
                assert downlink.f_port is None or 1 <= downlink.f_port <= 223


def test_a_formatter_may_make_the_bytes() -> None:
    """Where they are no plain number: Dingtek writes hexadecimal digits as letters."""
    (control,) = built_in()["dingtek_reporting_interval"].controls_of("key")
    downlink = control.command_for("set", 4)[0].downlink(4, no_templates)
    assert downlink.payload is None
    assert downlink.decoded_payload == {"uploadInterval": 4}


def test_there_are_ten_models_and_each_names_its_source() -> None:
    """Ids once, models as in the Device Repository, every control with a report."""
    presets = built_in()
    assert len(presets) >= 10
    assert {preset_id for preset_id, *_ in EXAMPLES} <= set(presets)
    seen: set[str] = set()
    for preset in presets.values():
        assert len(preset.source) > 20
        assert preset.models
        assert not preset.models & seen
        seen |= preset.models
        assert all(model.count("/") == 1 for model in preset.models)
        names = [control.name for control in preset.controls_of("key")]
        assert len(names) == len(set(names))
        for control in preset.controls_of("key"):
            assert not control.assumed
            assert control.preset == preset.id


def test_the_page_on_controls_names_every_model() -> None:
    """Brand and model, however they are put together."""
    page = (Path(__file__).parents[2] / "docs" / "controls.md").read_text("utf-8")
    table = page[page.index("| model | controls |") : page.index("[Yours is missing?]")]
    for preset in built_in().values():
        brand, _, model = preset.name.partition(" ")
        assert any(brand in line and model in line for line in table.splitlines()), preset.name


def test_the_example_for_contributors_works(tmp_path: Path) -> None:
    """As it stands there."""
    text = (Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    example = next(block for block in text.split("```yaml") if "id: brand_model" in block)
    (tmp_path / "example.yaml").write_text(example.split("```")[0], "utf-8")
    (preset,) = read_folder(tmp_path).values()
    (control,) = preset.controls_of("key")
    assert control.platform is Platform.VALVE


def test_every_file_is_read(caplog: pytest.LogCaptureFixture) -> None:
    """A file that can't be read would only be a line in the log."""
    built_in.cache_clear()
    built_in()
    assert not caplog.records
    assert len(list(DEVICES_FOLDER.glob("*.yaml"))) >= 4


async def test_the_users_own_presets_count(
    hass: HomeAssistant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file in the configuration folder adds presets; a bad one costs only itself."""
    hass.config.config_dir = str(tmp_path)
    folder = tmp_path / "thethingsstack" / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        """
- id: mine
  name: My valve
  models: [me/valve]
  source: made it myself
  f_port: 3
  controls:
    - platform: switch
      name: Pump
      commands:
        on: "01"
        off: "00"
      reports:
        state: {path: pump, values: {1: on, 0: off}}
- id: broken
  name: Broken
""",
        "utf-8",
    )
    devices = tmp_path / "thethingsstack" / "devices"
    devices.mkdir()
    (devices / "me.yaml").write_text(
        """
name: Me
models:
  - ids: lamp
    source: made it myself
    fields:
      lux: illuminance lx
presets:
  - id: lamp
    name: My lamp
    models: [me/lamp]
    source: made it myself
    controls:
      - platform: switch
        name: Lamp
        f_port: 4
        commands: {on: "01", off: "00"}
""",
        "utf-8",
    )
    (folder / "odd.yaml").write_text("[", "utf-8")
    presets = await async_presets(hass)
    assert set(presets) == {*built_in(), "mine", "lamp"}
    (control,) = presets["mine"].controls_of("key")
    assert control.platform is Platform.SWITCH
    assert control.reports[Role.STATE].values == {"1": "on", "0": "off"}
    assert set(control.commands) == {"on", "off"}
    assert "broken" in caplog.text
    assert "odd.yaml" in caplog.text
    issues = ir.async_get(hass)
    for file, reason in (("mine", "broken: 'source' is missing"), ("odd", "expected the node")):
        issue_id = f"preset_file_thethingsstack/presets/{file}.yaml"
        issue = issues.async_get_issue("thethingsstack", issue_id)
        assert issue is not None
        assert issue.translation_placeholders is not None
        assert reason in issue.translation_placeholders["reason_plain"]
    for file in ("mine", "odd"):
        (folder / f"{file}.yaml").unlink()
    await async_presets(hass)
    assert not issues.issues
