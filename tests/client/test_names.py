"""What the package offers, and names that it had before."""

import ast
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
import subprocess
import sys

import pytest

import thethingsstack


def _names_for_type_checkers() -> dict[str, str]:
    """Return the module of each name that is imported for type checkers."""
    tree = ast.parse(Path(thethingsstack.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or "": node.module or ""
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_all_names_are_there_and_known_to_type_checkers() -> None:
    names = _names_for_type_checkers()
    assert sorted(names) == sorted(thethingsstack.__all__)
    assert set(names) <= set(dir(thethingsstack))
    for name, module in names.items():
        found = getattr(thethingsstack, name)
        assert found is getattr(import_module(f"thethingsstack.{module}"), name)


def test_only_what_is_used_is_imported() -> None:
    script = (
        "import sys, thethingsstack\n"
        "from thethingsstack import parse_eui\n"
        "assert 'aiohttp' not in sys.modules\n"
        "from thethingsstack import *\n"
        "assert Stack is thethingsstack.Stack\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_version_is_that_of_the_package() -> None:
    assert thethingsstack.__version__ == version("thethingsstack")


@pytest.mark.parametrize(
    ("former", "name"),
    [
        ("Completed", "PreparedRegistration"),
        ("Outline", "DeviceRequest"),
        ("complete_outline", "prepare_registration"),
        ("expand", "expand_rights"),
        ("missing", "missing_rights"),
    ],
)
def test_former_names_work_with_a_warning(former: str, name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"{former} is called {name} now"):
        assert getattr(thethingsstack, former) is getattr(thethingsstack, name)
    assert former not in thethingsstack.__all__


def test_names_that_never_were() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        thethingsstack.nonsense  # noqa: B018
