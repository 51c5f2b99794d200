"""What the package offers, and names that it had before."""

import pytest

import thethingsstack


def test_all_names_are_there() -> None:
    for name in thethingsstack.__all__:
        assert getattr(thethingsstack, name) is not None
    assert len(set(thethingsstack.__all__)) == len(thethingsstack.__all__)


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
