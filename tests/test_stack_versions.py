"""Only who has to knows that stacks have versions; others ask what a stack can do."""

import ast
from pathlib import Path
import re

import pytest

PACKAGE = Path(__file__).parent.parent / "custom_components" / "thethingsstack"
KNOW_VERSIONS = (
    "client/v2/",
    "client/cli/",  # the option
    "application/client_factory.py",
    "setup_flow/handler.py",
)
"""Who may know that a stack has a version: its client, its dialogue, and who makes the client."""


def place(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=place)
def test_nobody_else_asks_for_the_version_of_a_stack(module: Path) -> None:
    """Capabilities are asked for instead."""
    if place(module).startswith(KNOW_VERSIONS):
        return
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        match node:
            case ast.If() | ast.IfExp() | ast.While() if node.test is not None:
                asked: ast.AST = node.test
            case ast.Compare() | ast.match_case(pattern=ast.MatchValue()):
                asked = node if isinstance(node, ast.Compare) else node.pattern
            case _:
                continue
        names = {part.id for part in ast.walk(asked) if isinstance(part, ast.Name)}
        names |= {part.attr for part in ast.walk(asked) if isinstance(part, ast.Attribute)}
        names |= {str(part.value) for part in ast.walk(asked) if isinstance(part, ast.Constant)}
        assert not {name for name in names if re.search(r"(?i)(^|_)v(ersion_)?2(_|$)", name)}, (
            ast.unparse(asked)
        )
