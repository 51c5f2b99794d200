"""The v2 simulator's payload functions are held to recorded dry runs."""

import base64
import json
import re
from typing import Any

import pytest

from tests.recordings import FIXTURES, load
from tests.recordings_v2 import mask
from tests.simulator.v2.errors import FunctionError
from tests.simulator.v2.functions import CUSTOM, NAMES, Functions, InvalidPayloadError


def _dry_runs(way: str) -> list[str]:
    found = (FIXTURES / "v2/grpc").glob(f"dry_{way}_*.json")
    return sorted(path.stem for path in found)


def _functions(application: dict[str, Any], default: str) -> Functions:
    scripts = {name: application[name] for name in NAMES if name in application}
    return Functions(application.get("payload_format", default if scripts else ""), scripts)


@pytest.mark.parametrize("name", _dry_runs("uplink"))
def test_dry_runs_of_decoders(name: str) -> None:
    """Of a payload becomes what a real Handler made of it in a dry run."""
    recorded = load(f"v2/grpc/{name}.json")
    request, response = recorded["request"]["json"], recorded["response"]
    functions = _functions(request["app"], CUSTOM)
    payload = base64.b64decode(request["payload"])
    if response["code"] == "OK" and response["json"].get("valid"):
        assert functions.decode(payload, request["port"]) == json.loads(response["json"]["fields"])
        return
    with pytest.raises(FunctionError) as raised:
        functions.decode(payload, request["port"])
    assert ("message" not in response) == isinstance(raised.value, InvalidPayloadError)
    # A dry run doesn't say of what it speaks, an event does.
    assert mask(str(raised.value)).endswith(mask(response.get("message", "")))


@pytest.mark.parametrize("name", ["cayennelpp", "fields", "throws"])
def test_dry_runs_of_encoders(name: str) -> None:
    """Of fields becomes what a real Handler made of them in a dry run."""
    recorded = load(f"v2/grpc/dry_downlink_{name}.json")
    request, response = recorded["request"]["json"], recorded["response"]
    functions, fields = _functions(request["app"], CUSTOM), json.loads(request["fields"])
    if response["code"] == "OK":
        payload = base64.b64decode(response["json"]["payload"])
        assert functions.encode(fields, request["port"]) == payload
        return
    with pytest.raises(FunctionError, match=re.escape(response["message"])):
        functions.encode(fields, request["port"])
