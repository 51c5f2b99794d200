"""The webhook in The Things Stack: made, kept as it has to be, proved to work, and deleted."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
import hashlib
import logging
import secrets
from urllib.parse import urlsplit

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import instance_id
from homeassistant.util.hass_dict import HassKey

from ..client import (
    ApplicationClient,
    Conflict,
    MissingRight,
    NotFound,
    ServerFailed,
    StackError,
    Webhook,
    WebhookFailure,
)
from ..client.rights import SETTINGS_BASIC, TRAFFIC_DOWN_WRITE, TRAFFIC_READ, TRAFFIC_UP_WRITE
from ..const import CONF_SERVER, CONF_WEBHOOK_SECRET, DOMAIN
from ..issues import clear_issue, raise_issue
from .address import AddressRefused, async_listen_to_cloud, async_public_address
from .door import WebhookDoor
from .failures import FailedDeliveries
from .reception import SECRET_HEADER, known_secrets

_LOGGER = logging.getLogger(__name__)

MANAGING_RIGHTS = (SETTINGS_BASIC, TRAFFIC_READ, TRAFFIC_DOWN_WRITE)
ADDRESS_ISSUES = {
    "address_cloud": "webhook_address_cloud",
    "address_missing": "webhook_address_missing",
    "address_private": "webhook_address_private",
    "address_without_tls": "webhook_address_without_tls",
}
PROOF_PORT = 223
PROOF_DEVICES = 3
"""So many end devices are tried: not each of them is on the Application Server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds until the webhook is looked at again, and until a proof counts as failed.

    `missed` is for how long what deliveries failed to bring is gathered before it is read again.
    """

    look: float = 900.0
    retry: float = 60.0
    proof: float = 15.0
    missed: float = 60.0


PAUSES: HassKey[Pauses] = HassKey(f"{DOMAIN}_webhook_pauses")
"""Key in `hass.data` for pauses that replace the defaults; set before setup."""


class WebhookTaken(Conflict):
    """Another webhook has the ID of ours; it isn't touched."""


def is_ours(entry: ConfigEntry, created_at: datetime | None, webhook: Webhook) -> bool:
    """Return whether a webhook of the server is the one of this entry."""
    if _secret_of(webhook) in known_secrets(entry.data):
        return True
    return created_at is not None and webhook.created_at == created_at


def _secret_of(webhook: Webhook) -> str | None:
    given = {name.casefold(): value for name, value in webhook.headers.items()}
    return given.get(SECRET_HEADER.casefold())


async def async_own_id(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return the ID of the webhook that this Home Assistant makes for an application.

    It is the same when the entry is added anew: what a lost entry has left behind is found again.
    """
    name = f"{await instance_id.async_get(hass)}/{entry.unique_id}"
    return f"home-assistant-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


class ManagedWebhook:
    """Looks after the webhook of an application whose key is known, for as long as it runs."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        stack: ApplicationClient,
        door: WebhookDoor,
        *,
        rights: Callable[[], frozenset[str]],
        device_ids: Callable[[], Iterable[str]],
    ) -> None:
        """Prepare; asks nothing yet. `device_ids` are those that a proof may be simulated for."""
        self._hass = hass
        self._entry = entry
        self._stack = stack
        self._door = door
        self._reception = door.reception
        self._store = door.reception.store
        self._rights = rights
        self._device_ids = device_ids
        self._pauses = hass.data.get(PAUSES, Pauses())
        self._wake = asyncio.Event()
        self._fresh = True
        self._began = stack.server_time()
        self._accepted_before = 0
        """How many messages had been accepted when the last problem was reported."""
        self._failures = FailedDeliveries(hass, entry, stack, door, pause=self._pauses.missed)
        self.failure: str | None = None
        """Why the server can't deliver, as it says."""

    @callback
    def async_start(self) -> None:
        """Look at the webhook now, regularly, and when Home Assistant's address may be another."""
        entry = self._entry
        entry.async_create_background_task(self._hass, self._async_run(), f"{DOMAIN} webhook")
        if self._stack.capabilities.event_stream:
            following = self._failures.async_follow(self._pauses.look)
            entry.async_create_background_task(self._hass, following, f"{DOMAIN} webhook events")
        entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self.look_again)
        )
        for stop in async_listen_to_cloud(self._hass, self._reception.webhook_id, self.look_again):
            entry.async_on_unload(stop)
        entry.async_on_unload(self._reception.async_listen(self._on_delivery))

    @callback
    def look_again(self, _event: Event | None = None) -> None:
        """Look at the webhook at once."""
        self._wake.set()

    async def _async_run(self) -> None:
        while True:
            self._wake.clear()
            pause = await self._async_look()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    @property
    def may_manage(self) -> bool:
        """Return whether the key may make and change webhooks."""
        return self._rights().issuperset(MANAGING_RIGHTS)

    # Looking

    async def _async_look(self) -> float:
        """Make the webhook what it has to be; returns the seconds until the next look."""
        entry = self._entry
        try:
            address = await async_public_address(
                self._hass, self._reception.webhook_id, str(entry.data[CONF_SERVER])
            )
        except AddressRefused as err:
            if not self.may_manage:  # one that the user has made needs no address of ours
                self._arrives()
                return self._pauses.look
            raise_issue(
                self._hass,
                f"webhook_address_{entry.entry_id}",
                ADDRESS_ISSUES[err.reason],
                {"application": entry.title, "address": err.address},
            )
            self._report(ServerFailed("there is no address to post to", name=err.reason))
            return self._pauses.retry
        self._clear_issue("webhook_address")
        before = self._reception.accepted
        try:
            there = await self.async_update(address)
            await self._async_judge(address, there, before)
        except WebhookTaken as err:
            raise_issue(
                self._hass,
                f"webhook_taken_{entry.entry_id}",
                "webhook_taken",
                {
                    "application": entry.title,
                    "webhook": await async_own_id(self._hass, entry),
                },
            )
            self._report(err)
            return self._pauses.retry
        except StackError as err:
            _LOGGER.debug("%s: the webhook can't be looked at: %s", entry.title, err)
            if self._store.server_id is None or isinstance(err, MissingRight):
                self._report(err)
            return self._pauses.retry
        self._clear_issue("webhook_taken")
        return self._pauses.look

    async def async_update_now(self) -> None:
        """Make the webhook what it has to be, now; raises StackError."""
        try:
            address = await async_public_address(
                self._hass, self._reception.webhook_id, str(self._entry.data[CONF_SERVER])
            )
        except AddressRefused:
            return  # it is corrected as soon as there is an address
        await self.async_update(address)

    async def async_update(self, address: str) -> Webhook | None:
        """Make the webhook, or correct what differs; None where the key may not, and none is ours.

        One does it at a time, with the secret of that moment. Raises WebhookTaken where another
        webhook has its ID.
        """
        async with self._store.changing:
            return None if self._store.given_up else await self._async_update(address)

    async def _async_update(self, address: str) -> Webhook | None:
        own_id = await async_own_id(self._hass, self._entry)
        there = await self._async_find(own_id)
        wanted = Webhook(
            webhook_id=there.webhook_id if there else own_id,
            base_url=address,
            headers={SECRET_HEADER: self._entry.data[CONF_WEBHOOK_SECRET]},
        )
        if there is None:
            if not self.may_manage:
                return None
            try:
                there = await self._stack.webhooks.create(wanted)
            except Conflict as err:
                raise WebhookTaken(str(err), name=err.name) from err
            _LOGGER.info("%s: the webhook %s was made", self._entry.title, wanted.webhook_id)
        elif self.may_manage and not there.same_settings(wanted):
            there = replace(await self._stack.webhooks.replace(wanted), failure=there.failure)
            self._fresh = True
            _LOGGER.info("%s: the webhook %s was corrected", self._entry.title, wanted.webhook_id)
        await self._async_remember(there)
        return there

    async def _async_find(self, own_id: str) -> Webhook | None:
        """Return our webhook on the server; raises WebhookTaken where its ID is another's."""
        webhooks = self._stack.webhooks
        if TRAFFIC_READ not in self._rights():
            return None
        if self._store.server_id is None:
            found = await webhooks.list()
            # One made by hand has our secret, too.
            ours = (hook for hook in found if self._is_ours(hook))
            left = (hook for hook in found if hook.webhook_id == own_id and self._is_left(hook))
            return next(ours, None) or next(left, None)
        try:
            there = await webhooks.get(self._store.server_id)
        except NotFound:
            return None
        if not self._is_ours(there):
            raise WebhookTaken("the webhook's ID is another's", name="webhook_exists")
        return there

    def _is_ours(self, webhook: Webhook) -> bool:
        return is_ours(self._entry, self._store.created_at, webhook)

    def _is_left(self, webhook: Webhook) -> bool:
        """Return whether a webhook with our ID was made for an entry that is gone."""
        secret = _secret_of(webhook)
        others = self._hass.config_entries.async_entries(DOMAIN)
        in_use = {other.data.get(CONF_WEBHOOK_SECRET) for other in others}
        return self.may_manage and secret is not None and secret not in in_use

    async def _async_remember(self, there: Webhook) -> None:
        store = self._store
        if (store.server_id, store.created_at) != (there.webhook_id, there.created_at):
            store.server_id, store.created_at = there.webhook_id, there.created_at
            await store.async_save()

    # Judging

    async def _async_judge(self, address: str, there: Webhook | None, before: int) -> None:
        """Find out whether messages arrive; `before` is how many had been accepted before."""
        fresh, self._fresh = self._fresh, False
        failure = there.failure if there is not None else None
        reported = self._failures.failure
        if there is not None and failure is not None and fresh:
            # What failed before is over, but the server may have given up on us.
            if self.may_manage:
                await self._stack.webhooks.reactivate(there.webhook_id)
            failure = None
        failure = failure or reported
        tolerated = None
        if self._is_latest(failure):
            tolerated = await self._stack.webhooks.tolerated_failures()
        if failure is not None and self._is_latest(failure):  # nothing has arrived meanwhile
            stopped = tolerated is not None and failure.attempts >= tolerated
            self.failure = failure.details or "?"
            raise_issue(
                self._hass,
                f"webhook_failing_{self._entry.entry_id}",
                "webhook_stopped" if stopped else "webhook_failing",
                {
                    "application": self._entry.title,
                    "attempts": str(failure.attempts),
                    "reason": self.failure,
                    "address": _shown(address),
                },
            )
            self._report(ServerFailed(self.failure, name="webhook_failing"))
            return
        if self._store.proved != address:
            proved = await self._async_prove()
            if proved is False and self._reception.accepted > before:
                proved = True  # another message has arrived meanwhile
            if proved is False:
                raise_issue(
                    self._hass,
                    f"webhook_unproved_{self._entry.entry_id}",
                    "webhook_unproved",
                    {"application": self._entry.title, "address": _shown(address)},
                )
                self._report(ServerFailed("no delivery arrives", name="webhook_unproved"))
                return
            if proved:
                self._note_proved(address)
        self._arrives()

    def _is_latest(self, failure: WebhookFailure | None) -> bool:
        """Return whether there is a failure after the last message that arrived."""
        if failure is None or failure.last_at is None:
            return False
        return failure.last_at > (self._reception.last_received_at or self._began)

    async def _async_prove(self) -> bool | None:
        """Let an end device's uplink be simulated; return whether it arrives, None if untried."""
        if TRAFFIC_UP_WRITE not in self._rights():
            return None
        for _, device_id in zip(range(PROOF_DEVICES), self._device_ids(), strict=False):
            payload = secrets.token_bytes(8)
            arrived = self._reception.expect_proof(device_id, payload)
            try:
                await self._stack.end_devices.simulate_uplink(
                    device_id, f_port=PROOF_PORT, payload=payload
                )
                async with asyncio.timeout(self._pauses.proof):
                    await arrived.wait()
            except StackError as err:
                _LOGGER.debug("%s: no uplink of %s: %s", self._entry.title, device_id, err)
            except TimeoutError:
                return False
            else:
                return True
        return None

    def _note_proved(self, address: str) -> None:
        self._store.proved = address
        self._store.save_soon()

    @callback
    def _on_delivery(self) -> None:
        if self._door.problem is not None and self._reception.accepted > self._accepted_before:
            self._arrives()

    @callback
    def _report(self, problem: StackError) -> None:
        """Report that deliveries don't arrive, until the next one does."""
        self._accepted_before = self._reception.accepted
        self._door.report(problem)

    @callback
    def _arrives(self) -> None:
        self.failure = None
        for key in ("webhook_failing", "webhook_unproved"):
            self._clear_issue(key)
        self._door.report(None)

    # Issues

    def _clear_issue(self, key: str) -> None:
        clear_issue(self._hass, f"{key}_{self._entry.entry_id}")


def _shown(address: str) -> str:
    """Return an address without its path, which is part of the secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
