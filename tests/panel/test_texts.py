"""Every text that the frontend asks for exists, and none is left over."""

import json
import re

from custom_components.thethingsstack.panel.registration import FRONTEND
from tests.test_translations import PACKAGE, leaves

TEXTS = json.loads((PACKAGE / "translations" / "en.json").read_text("utf-8"))["config_panel"]


def test_texts_are_those_of_the_frontend() -> None:
    """A key stands in quotes in its code, also where it is chosen at run time."""
    code = "".join(path.read_text("utf-8") for path in FRONTEND.glob("*.js"))
    named = set(re.findall(rf'"((?:{"|".join(TEXTS)})\.[a-z0-9_]+)"', code))
    assert named == {path for path, _ in leaves(TEXTS)}


def test_texts_have_two_levels() -> None:
    """Home Assistant knows no more of this category."""
    assert all(path.count(".") == 1 for path, _ in leaves(TEXTS))


def test_placeholders_are_given() -> None:
    """A call of `text` gives what its text names."""
    for path in FRONTEND.glob("*.js"):
        for key, values in re.findall(
            r'\btext\(\s*"([a-z0-9_.]+)"(?:,\s*\{([^}]*)\},?)?\s*\)', path.read_text("utf-8")
        ):
            text = dict(leaves(TEXTS))[key]
            given = set(re.findall(r"(\w+)(?=\s*[:,]|\s*$)", values))
            assert set(re.findall(r"{(\w+)}", text)) <= given, (path.name, key)
