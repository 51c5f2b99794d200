"""Whatever is posted to the webhook is accepted or refused, and nothing else happens."""

from copy import deepcopy
import json
from typing import Any

from homeassistant.components.webhook import async_handle_webhook
from homeassistant.core import HomeAssistant
from homeassistant.util.aiohttp import MockRequest
from hypothesis import given, strategies as st
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.thethingsstack.client import Message
from custom_components.thethingsstack.const import DOMAIN
from custom_components.thethingsstack.webhook import SECRET_HEADER
from custom_components.thethingsstack.webhook.reception import DOMAIN_HEADER, Reception
from tests.properties import json_values, thorough
from tests.recordings import load

from .conftest import SECRET, WEBHOOK_ID

BODIES: list[dict[str, Any]] = [item["body"] for item in load("webhooks/requests.json")]
APPLICATION = BODIES[0]["end_device_ids"]["application_ids"]["application_id"]
_DOMAINS = ("eu1.cloud.thethings.network", "nam1.cloud.thethings.network", "[", "a:b:c", "")


@st.composite
def _changed(draw: st.DrawFn) -> bytes:
    """Return a recorded body, with anything at all in some of its members."""
    body = deepcopy(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(0, 4))):
        place = body
        key = draw(st.sampled_from(sorted(place)))
        while isinstance(place[key], dict) and place[key] and draw(st.booleans()):
            place = place[key]
            key = draw(st.sampled_from(sorted(place)))
        place[key] = draw(json_values)
    return json.dumps(body).encode()


_bodies = st.one_of(
    _changed(),
    _changed().flatmap(lambda data: st.integers(0, len(data)).map(lambda cut: data[:cut])),
    st.binary(max_size=200),
)


@thorough(100)
@given(_bodies, st.one_of(st.sampled_from(_DOMAINS), st.text(max_size=40)))
async def test_any_body_is_accepted_or_refused(
    hass: HomeAssistant, body: bytes, domain: str
) -> None:
    """What is accepted is one message of the application."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            "application_id": APPLICATION,
            "server": "https://eu1.cloud.thethings.network",
            "api_key": "key",
            "webhook_id": WEBHOOK_ID,
            "webhook_secret": SECRET,
        },
    )
    reception = Reception(hass, entry)
    reception.register()
    headers = {SECRET_HEADER: SECRET, DOMAIN_HEADER: domain}
    with reception.open(lambda moment: moment) as inbox:
        request = MockRequest(body, "thethingsstack", method="POST", headers=headers)
        answer = await async_handle_webhook(hass, WEBHOOK_ID, request)
        assert answer.status in {200, 400, 403}
        accepted = answer.status == 200
        assert (reception.accepted, reception.refusals.counts.total()) == (accepted, not accepted)
        if accepted:
            message = await inbox.get()
            assert isinstance(message, Message)
            assert message.ids.application_id == APPLICATION
    reception.unregister()
