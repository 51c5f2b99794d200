"""Say what the fields of a decoded payload mean: `explain_payload.py [FILE]`."""

import json
from pathlib import Path
import sys

from thethingsstack.payload import understand

SAMPLE = {"TempC_SHT": 21.4, "Hum_SHT": 48.2, "BatV": 3.05, "door_open": True}


def main(payload: dict[str, object]) -> None:
    """Print each field with its value, what it is, and why."""
    understanding = understand(payload, (), decisions={})
    for path, meaning in understanding.new.items():
        unit = meaning.unit or ""
        print(f"{path}: {understanding.values.get(path)} {unit}".rstrip())
        print(f"    {meaning.kind} {meaning.quantity or ''}: {meaning.reason}")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")) if len(sys.argv) > 1 else SAMPLE)
