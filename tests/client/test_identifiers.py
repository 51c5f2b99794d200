"""Ids, EUIs and keys as people write them."""

import pytest

from thethingsstack import (
    InvalidIdentifier,
    check_id,
    generate_eui,
    generate_key,
    looks_reversed,
    parse_dev_addr,
    parse_eui,
    parse_key,
    propose_id,
    reversed_eui,
)

EUI = "A84041000181C061"


@pytest.mark.parametrize(
    "text",
    [
        EUI,
        EUI.lower(),
        "A8 40 41 00 01 81 C0 61",
        "a8:40:41:00:01:81:c0:61",
        "A8-40-41-00-01-81-C0-61",
        "0xA84041000181C061",
        " A8404100-0181C061\n",
    ],
)
def test_usual_spellings_of_an_eui(text: str) -> None:
    assert parse_eui(text) == EUI


@pytest.mark.parametrize(
    ("text", "reason"),
    [("A84041", "16 digits"), (EUI + "00", "are 18"), ("G" * 16, "0-9 and A-F"), ("", "are 0")],
)
def test_no_eui(text: str, reason: str) -> None:
    with pytest.raises(InvalidIdentifier, match=reason) as caught:
        parse_eui(text, "DevEUI")
    assert caught.value.name == "invalid_deveui"
    assert caught.value.attributes["value"] == text


def test_key_is_never_shown() -> None:
    key = "00112233445566778899AABBCCDDEEFF"
    assert parse_key(key.lower()) == key
    listed = ", ".join(f"0x{key[i : i + 2].lower()}" for i in range(0, 32, 2))
    assert parse_key(f"{{ {listed} }}") == key
    with pytest.raises(InvalidIdentifier) as caught:
        parse_key(key[:-1])
    assert key[:8] not in f"{caught.value!r} {caught.value} {caught.value.attributes}"


def test_generated_keys_differ() -> None:
    first, second = generate_key(), generate_key()
    assert first != second
    assert parse_key(first) == first


def test_device_address() -> None:
    assert parse_dev_addr("26:0b:12:34") == "260B1234"
    with pytest.raises(InvalidIdentifier):
        parse_dev_addr("260B")


@pytest.mark.parametrize(
    ("eui", "reversed_"),
    [(EUI, False), (reversed_eui(EUI), True), ("0000000000000000", False), ("1" * 16, False)],
)
def test_bytes_in_the_wrong_order(eui: str, reversed_: bool) -> None:
    assert looks_reversed(eui) is reversed_


@pytest.mark.parametrize("text", ["abc", "a1-b2", "0ab", "a" * 36])
def test_ids(text: str) -> None:
    assert check_id(text) == text


@pytest.mark.parametrize(
    "text", ["", "ab", "a-b", "a" * 37, "Abc", "a_b_c", "-abc", "abc-", "a--bc", "äbc"]
)
def test_no_ids(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        check_id(text)
    assert caught.value.name == "invalid_id"


@pytest.mark.parametrize(
    ("name", "taken", "proposed"),
    [
        ("Kitchen window", (), "kitchen-window"),
        ("Küche: Fenster (Süd)", (), "kueche-fenster-sued"),
        ("Café", (), "cafe"),
        ("Pump", ("pump", "pump-2"), "pump-3"),
        ("A1", (), "device-a1"),
        ("温度", (), "device"),
        ("x" * 40, ("x" * 36,), "x" * 34 + "-2"),
    ],
)
def test_proposed_ids(name: str, taken: tuple[str, ...], proposed: str) -> None:
    assert propose_id(name, taken) == proposed
    assert check_id(proposed) == proposed


def test_generated_euis_are_of_nobody() -> None:
    """Locally administered, for a single thing, and different each time."""
    euis = {generate_eui() for _ in range(50)}
    assert len(euis) == 50
    for eui in euis:
        assert parse_eui(eui) == eui
        assert bytes.fromhex(eui)[0] & 3 == 2
