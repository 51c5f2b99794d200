"""The list of known models for users: python -m tests.payload.device_list writes docs/devices.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.payload.devices import brand_files, data_of
from thethingsstack.payload import Brand
from thethingsstack.payload.library import EVERY_MODEL

DOCUMENT = Path(__file__).parents[2] / "docs" / "devices.md"
COMMAND = "python -m tests.payload.device_list"
_INTRODUCTION = f"""# Known models

<!-- Written by `{COMMAND}` from custom_components/thethingsstack/devices. -->

What the fields of these models are is known before their first uplink; a model that isn't here is understood by the names and values of its fields. Controls are those of a preset: see [Controls](controls.md). Brands and models are named by their ids in the Device Repository; *all* stands for every model of a brand. Uplinks of those with a mark under *bytes* can be [decoded in Home Assistant](decoding.md). To add one, see [CONTRIBUTING](../.github/CONTRIBUTING.md).
"""


def document() -> str:
    """Return the text of docs/devices.md, as the files of all brands say."""
    brands = [(path.stem, data_of(path.stem)) for path in brand_files()]
    rows = {brand_id: list(_rows(brand_id, data)) for brand_id, data in brands}
    named = [row for of_brand in rows.values() for row in of_brand if row[0] != EVERY_MODEL]
    fields = sum(count for _, count, *_ in named)
    controlled = sum(bool(controls) for *_, controls in named)
    total = f"{len(brands)} brands, {len(named)} models with {fields:,} fields"
    parts = [_INTRODUCTION, f"{total}, {controlled} of them with controls.\n"]
    for brand_id, data in sorted(brands, key=lambda brand: str(brand[1]["name"]).casefold()):
        parts.append(f"## {data['name']} (`{brand_id}`)\n")
        lines = ["| model | known fields | bytes | controls |", "| --- | ---: | --- | --- |"]
        for model, count, decoded, controls in rows[brand_id]:
            name = "*all*" if model == EVERY_MODEL else model
            mark = "✓" if decoded else ""
            lines.append(f"| {name} | {count or ''} | {mark} | {', '.join(controls)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _rows(brand_id: str, data: Any) -> Iterator[tuple[str, int, bool, list[str]]]:
    """Yield each model of a brand: how many fields are known, whether bytes are, its controls."""
    blocks = Brand.from_data(data).blocks
    controls = _controls_of(brand_id, data)
    models = {model for block in blocks for model in block.models}
    for model in sorted(models | controls.keys()):
        paths = {
            path for block in blocks if {model, EVERY_MODEL} & block.models for path in block.fields
        }
        decoded = any(model in block.models and block.decoder is not None for block in blocks)
        yield model, len(paths), decoded, controls.get(model, [])


def _controls_of(brand_id: str, data: Any) -> dict[str, list[str]]:
    """Return the names of the controls of each model that a preset is for."""
    return {
        model.partition("/")[2]: [str(control["name"]) for control in preset["controls"]]
        for preset in data.get("presets") or ()
        for model in preset["models"]
        if model.partition("/")[0] == brand_id
    }


if __name__ == "__main__":
    DOCUMENT.write_text(document(), "utf-8")
