"""What users read: links that lead somewhere, and pictures that exist."""

from pathlib import Path
import re

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / ".github" / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PAGE_NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return the names of all headings, as GitHub makes them for links."""
    without_code = re.sub(
        r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    }


@pytest.mark.parametrize("page", PAGES, ids=PAGE_NAMES)
def test_links_lead_to_a_page_and_a_heading_of_it(page: Path) -> None:
    """Those within the repository; a heading that was renamed breaks its links."""
    for link in _LINK.findall(page.read_text("utf-8")):
        if ":" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_can_be_reached() -> None:
    """Each page and each picture in docs is linked from another one."""
    linked = {
        (page.parent / link.partition("#")[0]).resolve()
        for page in PAGES
        for link in _LINK.findall(page.read_text("utf-8"))
        if ":" not in link and not link.startswith("#")
    }
    images = set((ROOT / "docs" / "images").glob("*"))
    assert {*(ROOT / "docs").rglob("*.md"), *images} <= linked


def test_pictures_are_small() -> None:
    """A page with several of them opens at once, on a phone as well."""
    for image in (ROOT / "docs" / "images").glob("*"):
        assert image.stat().st_size <= 150_000, image.name


def test_files_that_the_architecture_names_exist() -> None:
    """A file that was renamed is renamed there, too; names without a folder are of the row's room."""
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    package = ROOT / "custom_components" / "thethingsstack"
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", page):
        assert (package / path).exists() or (ROOT / path).exists(), path
    for room, row in re.findall(r"^\| `(\w+)/` \|(.*)$", page, re.MULTILINE):
        for name in re.findall(r"`(\w+\.py)`", row):
            assert (package / room / name).exists(), f"{room}/{name}"
