"""The score of whole payloads."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.payload import cases, score
from thethingsstack.payload import understand

LABELLED = Path(__file__).parents[1] / "fixtures" / "payloads" / "labelled"
MOST = {"false class": 4, "false unit": 4, "false polarity": 0, "lost": 0}
RIGHT_AT_LEAST = 98.5


def _write(folder: Path, name: str, **case: Any) -> None:
    (folder / name).write_text(json.dumps({"f_port": 1} | case), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write two cases: one uplink, and several in order."""
    _write(
        tmp_path,
        "b.json",
        brand_model_given_to_product=["elsys", "ers"],
        decoded_payload={
            "temperature": 21.5,
            "vdd": 3600,
            "items": [{"variable": "humidity", "value": 40}],
            "gone": None,
        },
        expected={
            "temperature": {"platform": "sensor", "device_class": "temperature", "unit": "°F"},
            "items.0.value": {"platform": "sensor", "device_class": "humidity", "unit": "%"},
            "vdd": {
                "platform": "hidden",
                "also_accepted": [{"platform": "sensor", "device_class": "voltage", "unit": "*"}],
            },
            "gone": {"platform": "sensor", "device_class": "", "unit": ""},
        },
    )
    _write(
        tmp_path,
        "a.json",
        uplinks=[{"decoded_payload": {"leak": 0}}, {"decoded_payload": {"leak": 12}}],
        expected={"leak": {"platform": "binary_sensor", "device_class": "moisture", "on": False}},
    )
    return tmp_path


def test_prints_the_score_of_payloads(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each question with how often it is true."""
    assert score.main(["--payloads", str(folder), "--wrong"]) == 0
    printed = capsys.readouterr().out
    lines = dict(line.rsplit(maxsplit=3)[:2] for line in printed.splitlines() if line.endswith("%"))
    assert lines == {
        "right": "4",
        "false class": "0",
        "false unit": "1",
        "false polarity": "1",
        "lost": "1",
        "hidden": "0",
        "shown": "0",
    }
    assert "a.json  leak: false polarity" in printed


def test_prints_one_object_per_case(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the files' names; items of lists also under their position."""
    assert score.main(["--payloads", str(folder), "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["file"], second["file"]) == ("a.json", "b.json")
    assert first["fields"]["leak"]["platform"] == "binary_sensor"
    assert second["fields"]["items.0.value"] == second["fields"]["items.humidity"]
    assert second["fields"]["vdd"]["source"] == "library"
    assert second["fields"]["temperature"] == {
        "platform": "sensor",
        "device_class": "temperature",
        "unit": "°C",
        "state_class": "measurement",
        "entity_category": "",
        "enabled": True,
        "name": "Temperature",
        "source": "library",
        "reason": second["fields"]["temperature"]["reason"],
    }


def test_leaves_brand_and_model_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --no-library only names and values decide."""
    assert score.main(["--payloads", str(folder), "--json", "--no-library"]) == 0
    second = json.loads(capsys.readouterr().out.splitlines()[1])
    assert second["fields"]["vdd"]["source"] == "inferred"


def test_labels_never_reach_the_code_under_test(folder: Path) -> None:
    """Without them the answers are the same."""
    labelled = [cases.answer(case) for case in cases.load_all(folder)]
    for path in folder.glob("*.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        del data["expected"]
        path.write_text(json.dumps(data), encoding="utf-8")
    assert [cases.answer(case) for case in cases.load_all(folder)] == labelled


def test_refuses_an_empty_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a table together with a folder."""
    assert score.main(["--payloads", str(tmp_path)]) == 2
    assert score.main(["table.csv", "--payloads", str(tmp_path)]) == 2
    assert "--payloads FOLDER" in capsys.readouterr().err


def test_labelled_payloads_keep_their_score() -> None:
    """Real payloads, without what is known of their models."""
    counts, wrong = cases.score(cases.load_all(LABELLED), library=False)
    assert 100 * counts["right"] / counts["fields"] >= RIGHT_AT_LEAST, "\n".join(wrong)
    for question, most in MOST.items():
        assert counts[question] <= most, "\n".join(wrong)


@pytest.mark.parametrize("path", sorted(LABELLED.glob("*.json")), ids=lambda path: path.stem)
def test_a_second_uplink_decides_nothing_anew(path: Path) -> None:
    """What was decided is read, in any order of the fields."""
    (decoded,) = cases.load(path).uplinks
    first = understand(decoded, decisions={})
    again = understand(dict(reversed(list(decoded.items()))), decisions=first.new)
    assert again.new == {}
    assert again.values == first.values
