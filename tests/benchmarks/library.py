"""What the model library adds to a start: the files of the largest brands, read as it does."""

from pathlib import Path
from statistics import median
import time
import tracemalloc

from custom_components.thethingsstack.fields.device_library import FOLDER, read_brand
from custom_components.thethingsstack.payload import Brand

BRANDS = 20
ROUNDS = 7


def _read(brand_ids: list[str]) -> list[Brand | None]:
    return [read_brand(FOLDER, brand_id) for brand_id in brand_ids]


def library_cost() -> tuple[float, float]:
    """Return the milliseconds for reading the largest brands, and the megabytes that stay."""
    files = sorted(FOLDER.glob("*.yaml"), key=_size)[-BRANDS:]
    brand_ids = [path.stem for path in files]
    times = []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        _read(brand_ids)
        times.append(1e3 * (time.perf_counter() - before))
    tracemalloc.start()
    try:
        kept = _read(brand_ids)
        memory, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(kept)
    return median(times), memory / 1e6


def _size(path: Path) -> int:
    return path.stat().st_size
