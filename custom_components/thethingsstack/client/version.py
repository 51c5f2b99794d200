"""The version: the manifest of the integration has it, and an installed package got it from there."""

from importlib.metadata import version
import json
from pathlib import Path


def _of_manifest() -> str:
    manifest = Path(__file__).parent.parent / "manifest.json"
    return str(json.loads(manifest.read_text("utf-8"))["version"])


__version__ = version("thethingsstack") if __package__ == "thethingsstack" else _of_manifest()
