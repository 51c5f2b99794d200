"""The model library as the payload tests read it: without Home Assistant."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from thethingsstack.payload import Brand, Context, ModelFields

FOLDER = Path(__file__).parents[2] / "custom_components" / "thethingsstack" / "devices"


def brand_files() -> list[Path]:
    """Return the files of all brands."""
    return sorted(FOLDER.glob("*.yaml"))


@cache
def data_of(brand_id: str) -> Any:
    """Return what a brand's file says; None without one."""
    path = FOLDER / f"{brand_id}.yaml"
    if not path.is_file():
        return None
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


def known_fields(brand_id: str | None, model_id: str | None) -> ModelFields | None:
    """Return what the library knows of a model."""
    data = data_of(brand_id) if brand_id is not None else None
    return None if data is None else Brand.from_data(data).fields_of(model_id)


def context_of(brand_id: str | None, model_id: str | None, **more: Any) -> Context:
    """Return the context of an end device of this model, with the library."""
    known = known_fields(brand_id, model_id)
    return Context(brand_id=brand_id, model_id=model_id, known=known, **more)
