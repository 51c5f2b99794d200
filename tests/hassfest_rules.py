"""The rules that Home Assistant's hassfest holds integrations to, as far as they concern this one.

Written anew from what those rules say; where they differ for integrations of its own and for
others, the stricter one is taken. `violations` returns what a folder breaks, in words.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
import json
from pathlib import Path
import re
from string import Formatter
from typing import Any

from awesomeversion import AwesomeVersion
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, selector
from homeassistant.util.yaml import load_yaml_dict
import voluptuous as vol

type Found = Iterator[str]

KEY = re.compile(r"[a-z0-9](?:[a-z0-9]|[-_](?![-_]))*(?<![-_])")
URL = re.compile(r"(?:\b[a-z0-9]+://|\bwww\.)[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
QUOTED_PLACEHOLDER = re.compile(r"'\{\w+\}'")
IOT_CLASSES = (
    *("assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling"),
    "local_push",
)
TYPES = ("device", "entity", "hardware", "helper", "hub", "service", "system", "virtual")
SCALES = ("bronze", "silver", "gold", "platinum", "internal", "custom")

FLOW = (
    *("flow_title", "step.*.title", "step.*.description", "step.*.submit", "step.*.data.*"),
    *("step.*.data_description.*", "step.*.menu_options.*", "step.*.menu_option_descriptions.*"),
    *("step.*.sections.*.name", "step.*.sections.*.description", "step.*.sections.*.data.*"),
    *("step.*.sections.*.data_description.*", "error.*", "abort.*", "progress.*"),
    *("create_entry.*", "initiate_flow.*"),
)
DESCRIBED = ("*.name", "*.description", "*.fields.*.name", "*.fields.*.description")
TEXTS = (
    "title",
    "config_panel.**",
    "common.*",
    "device.*.name",
    "exceptions.*.message",
    "system_health.info.*",
    "issues.*.title",
    "issues.*.description",
    *(f"issues.*.fix_flow.{path}" for path in FLOW),
    *(f"{flow}.{path}" for flow in ("config", "options") for path in FLOW),
    *(f"config_subentries.*.{path}" for path in (*FLOW, "entry_type")),
    *(f"selector.*.{part}.*" for part in ("options", "choices", "unit_of_measurement")),
    *(f"selector.*.fields.*.{part}" for part in ("name", "description")),
    "entity.*.*.name",
    *(f"{kind}.{path}" for kind in ("triggers", "conditions") for path in DESCRIBED),
    *(f"services.{path}" for path in (*DESCRIBED, "*.fields.*.example")),
    *("services.*.sections.*.name", "services.*.sections.*.description"),
)
TEXTS_WITHOUT_PLACEHOLDERS = (
    *("entity.*.*.state.*", "entity.*.*.unit_of_measurement"),
    *("entity.*.*.state_attributes.*.name", "entity.*.*.state_attributes.*.state.*"),
)
"""Where a text stands: `*` is any key, `**` any number of them."""
REQUIRED = {
    "services.*": ("name", "description"),
    "services.*.fields.*": ("name", "description"),
    "triggers.*": ("name", "description"),
    "triggers.*.fields.*": ("name", "description"),
    "conditions.*": ("name", "description"),
    "conditions.*.fields.*": ("name", "description"),
    "config": ("step",),
    "options": ("step",),
    "config_subentries.*": ("step", "entry_type", "initiate_flow"),
    "config_subentries.*.initiate_flow": ("user",),
    "issues.*": ("title",),
    "issues.*.fix_flow": ("step",),
}
ICONS = (
    *("entity.*.*.default", "entity.*.*.state.*"),
    *("entity.*.*.state_attributes.*.default", "entity.*.*.state_attributes.*.state.*"),
    *("services.*.service", "triggers.*.trigger", "conditions.*.condition"),
    "services.*.sections.*",
)


def violations(folder: Path) -> list[str]:
    """Return what the files of an integration break; each with its file and place."""
    found = list(_manifest(folder))
    english = json.loads((folder / "translations" / "en.json").read_text("utf-8"))
    found += _translations("translations/en.json", english)
    icons = json.loads((folder / "icons.json").read_text("utf-8"))
    found += _icons(icons)
    for kind in ("services", "triggers", "conditions"):
        found += _described(folder, kind, english, icons.get(kind, {}))
    return found


def _leaves(tree: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(tree, Mapping):
        for key, below in tree.items():
            yield from _leaves(below, (*path, key))
    else:
        yield path, tree


def _matcher(patterns: Iterable[str]) -> Callable[[tuple[str, ...]], bool]:
    def expression(pattern: str) -> str:
        steps = [{"*": r"[^/]+", "**": r".+"}.get(s, re.escape(s)) for s in pattern.split(".")]
        return "/".join(steps)

    matches = re.compile("|".join(expression(pattern) for pattern in patterns)).fullmatch
    return lambda path: matches("/".join(path)) is not None


def _at(tree: Mapping[str, Any], pattern: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all objects at places like "services.*.fields.*", with their place."""
    places = [("", tree)]
    for step in pattern.split("."):
        places = [
            (f"{place}.{key}".lstrip("."), below)
            for place, above in places
            for key, below in above.items()
            if step in ("*", key) and isinstance(below, Mapping)
        ]
    yield from places


def _translations(file: str, texts: Mapping[str, Any]) -> Found:
    known, plain = _matcher(TEXTS), _matcher(TEXTS_WITHOUT_PLACEHOLDERS)
    for path, text in _leaves(texts):
        where = f"{file}: {'.'.join(path)}"
        if not known(path) and not plain(path):
            yield f"{where}: no such text"
        for key in path:
            if not KEY.fullmatch(key) and key != "_":
                yield f"{where}: {key} is no key"
        yield from (f"{where}: {what}" for what in _text(text, placeholders=not plain(path)))
    for pattern, keys in REQUIRED.items():
        for place, below in _at(texts, pattern):
            for key in keys:
                if key not in below:
                    yield f"{file}: {place}: {key} is missing"
    for place, issue in _at(texts, "issues.*"):
        if ("description" in issue) is ("fix_flow" in issue):
            yield f"{file}: {place}: either a description or a fix_flow"
    for flow in ("config", "options", "config_subentries.*", "issues.*.fix_flow"):
        for place, step in _at(texts, f"{flow}.step.*"):
            for key in step.get("data_description", {}).keys() - step.get("data", {}).keys():
                yield f"{file}: {place}: data_description of {key}, which is not in data"


def _text(text: object, *, placeholders: bool = True) -> Found:
    if not isinstance(text, str):
        yield "no text"
        return
    try:
        cv.string_with_no_html(text)
    except vol.Invalid:
        yield "HTML"
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        yield "a single brace"
        return
    if names and not placeholders:
        yield "a placeholder, where none is filled in"
    if any(not name.isidentifier() for name in names):
        yield "a placeholder that is no identifier"
    if QUOTED_PLACEHOLDER.search(text):
        yield "a placeholder in single quotes"
    if text != text.strip():
        yield "spaces around"
    if URL.search(text):
        yield "an address"
    if "[%" in text and not (text.startswith("[%") and text.endswith("%]")):
        yield "a reference within a text"


def _icons(icons: Mapping[str, Any]) -> Found:
    known = _matcher(ICONS)
    for path, icon in _leaves(icons):
        where = f"icons.json: {'.'.join(path)}"
        if not known(path):
            yield f"{where}: no such icon"
        if not isinstance(icon, str) or not icon.startswith("mdi:"):
            yield f"{where}: no icon of Material Design"
        for key in path:
            if not KEY.fullmatch(key) and key != "_":
                yield f"{where}: {key} is no key"
    for place, entity in _at(icons, "entity.*.*"):
        if any(entity.get("default") == icon for icon in entity.get("state", {}).values()):
            yield f"icons.json: {place}: a state has the default icon"


_FIELD = vol.Schema(
    {
        vol.Optional("example"): vol.Any(str, int, float, bool, dict, list),
        vol.Optional("default"): vol.Any(str, int, float, bool, dict, list),
        vol.Optional("required"): bool,
        vol.Optional("selector"): selector.validate_selector,
    }
)
_ACTION_FIELD = _FIELD.extend({vol.Optional("advanced"): bool, vol.Optional("filter"): dict})
_CONTEXT_FIELD = _FIELD.extend({vol.Optional("context"): {str: str}})


def _described(
    folder: Path, kind: str, texts: Mapping[str, Any], icons: Mapping[str, Any]
) -> Found:
    """Check a file that describes actions, triggers or conditions, and what belongs to each."""
    file = f"{kind}.yaml"
    try:
        described = load_yaml_dict(str(folder / file))
    except HomeAssistantError as err:
        yield f"{file}: {err}"
        return
    names = texts.get(kind, {})
    for key, item in described.items():
        if key.startswith(".") and kind != "services":
            continue
        if not KEY.fullmatch(key) and key != "_":
            yield f"{file}: {key} is no key"
        if key not in icons:
            yield f"icons.json: {kind}.{key} is missing"
        if key not in names:
            yield f"translations/en.json: {kind}.{key} is missing"
        yield from _item(f"{file}: {key}", kind, item or {}, names.get(key, {}), texts)
    for key in (names.keys() | icons.keys()) - described.keys():
        yield f"{file}: {key} is missing, but has texts or an icon"


def _item(
    where: str,
    kind: str,
    item: Mapping[str, Any],
    names: Mapping[str, Any],
    texts: Mapping[str, Any],
) -> Found:
    if unknown := item.keys() - {"target", "fields"}:
        yield f"{where}: {', '.join(sorted(unknown))} is not known"
    if item.get("target") is not None:
        try:
            selector.TargetSelector.CONFIG_SCHEMA(item["target"])
        except vol.Invalid as err:
            yield f"{where}: target: {err}"
    seen = set[str]()
    for name, field in _fields(item.get("fields") or {}):
        if name in seen:
            yield f"{where}: {name} is there twice"
        seen.add(name)
        schema = _ACTION_FIELD if kind == "services" else _CONTEXT_FIELD
        try:
            schema(field)
        except vol.Invalid as err:
            yield f"{where}: {name}: {err}"
        if "filter" in field and "target" not in item:
            yield f"{where}: {name}: a filter without a target"
        if name not in names.get("fields", {}):
            yield f"translations/en.json: {where}: {name} is missing"
        select = (field.get("selector") or {}).get("select") or {}
        if (key := select.get("translation_key")) and key not in texts.get("selector", {}):
            yield f"translations/en.json: selector.{key} is missing"
    for name in names.get("fields", {}).keys() - seen:
        yield f"translations/en.json: {where}: {name} is no field"
    for name, section in (item.get("fields") or {}).items():
        if "fields" in section and name not in names.get("sections", {}):
            yield f"translations/en.json: {where}: section {name} is missing"


def _fields(fields: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, field in fields.items():
        if "fields" in field:
            yield from _fields(field["fields"])
        else:
            yield name, field


def _version(given: str) -> str:
    if not AwesomeVersion(given).valid:
        raise vol.Invalid("no version")
    return given


def _secure(given: str) -> str:
    if not given.startswith("https://"):
        raise vol.Invalid("no https")
    return given


_MANIFEST = vol.Schema(
    {
        vol.Required("domain"): cv.slug,
        vol.Required("name"): vol.All(str, vol.Length(min=1)),
        vol.Required("codeowners"): [vol.Match(r"@[\w-]+(/[\w-]+)?$")],
        vol.Required("documentation"): vol.All(vol.Url(), _secure),
        vol.Required("iot_class"): vol.In(IOT_CLASSES),
        vol.Required("version"): vol.All(str, _version),
        vol.Required("issue_tracker"): vol.All(vol.Url(), _secure),
        vol.Required("integration_type"): vol.In(TYPES),
        vol.Optional("config_flow"): bool,
        vol.Optional("single_config_entry"): bool,
        vol.Optional("quality_scale"): vol.In(SCALES),
        vol.Optional("requirements"): [vol.Match(r"[A-Za-z0-9._-]+==\S+$")],
        vol.Optional("dependencies"): [cv.slug],
        vol.Optional("after_dependencies"): [cv.slug],
        vol.Optional("loggers"): [str],
        vol.Optional("categories"): [str],
        vol.Optional("connectivity"): [str],
    }
)


def _manifest(folder: Path) -> Found:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    try:
        _MANIFEST(manifest)
    except vol.MultipleInvalid as err:
        yield from (f"manifest.json: {one}" for one in err.errors)
    if manifest.get("domain") != folder.name:
        yield "manifest.json: the domain is not the folder's name"
    keys = list(manifest)
    if keys != ["domain", "name", *sorted(key for key in keys if key not in ("domain", "name"))]:
        yield "manifest.json: keys: domain, name, then in alphabetical order"
    both = set(manifest.get("dependencies", ())) & set(manifest.get("after_dependencies", ()))
    if both:
        yield f"manifest.json: {', '.join(sorted(both))} is a dependency twice"
    if manifest.get("config_flow") and not (folder / "config_flow.py").is_file():
        yield "manifest.json: there is no config_flow.py"
