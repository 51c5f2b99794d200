"""What the rooms need of a stack, and what one without some of it answers."""

from dataclasses import fields, replace

import pytest

from thethingsstack import Capabilities, NotSupported
from thethingsstack.capabilities import lacking
from thethingsstack.protocols import ApplicationClient, GatewayCalls

from .conftest import MakeStack


async def test_the_client_of_version_3_meets_the_protocol_and_lacks_nothing(
    make_stack: MakeStack,
) -> None:
    client: ApplicationClient = make_stack()
    assert client.capabilities.missing == ()
    with pytest.raises(NotSupported, match="downlink first"):
        await client.downlinks.push_first("greenhouse-climate", [])


async def test_a_part_that_a_stack_lacks_refuses_every_call_with_the_capabilitys_name() -> None:
    gateways: GatewayCalls = lacking("gateways")
    with pytest.raises(NotSupported, match="gateways") as refused:
        await gateways.get("roof")
    assert refused.value.capability == "gateways"
    assert refused.value.attributes == {"capability": "gateways"}


def test_a_missing_capability_is_named_and_refused() -> None:
    version_2 = replace(Capabilities(), nack=False, downlink_first=True)
    assert version_2.missing == ("nack",)
    version_2.require("storage")
    with pytest.raises(NotSupported):
        version_2.require("nack")


def test_version_3_may_have_only_what_it_has() -> None:
    """A capability of another stack alone is off by default, so that it isn't taken for granted."""
    alone = {field.name for field in fields(Capabilities) if field.default is False}
    assert alone == {"repeats_confirmed", "downlink_first", "device_changes"}
