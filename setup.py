"""The version of the Python package is that of the integration's manifest."""

import json
from pathlib import Path

from setuptools import setup

_MANIFEST = Path(__file__).parent / "custom_components/thethingsstack/manifest.json"

setup(version=json.loads(_MANIFEST.read_text("utf-8"))["version"])
