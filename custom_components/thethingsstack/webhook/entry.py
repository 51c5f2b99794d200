"""What becomes of the webhook when an entry is set up, runs, changes its door, and is removed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
import logging
import secrets
from typing import Any

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_API_KEY, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from ..application import async_create_stack
from ..client import ApplicationClient, MissingRight, NotFound, StackError, Webhook
from ..const import (
    CONF_DOOR,
    CONF_WEBHOOK_EARLIER_SECRETS,
    CONF_WEBHOOK_SECRET,
    DOMAIN,
    DOOR_WEBHOOK,
)
from ..issues import clear_issue, raise_issue
from .address import async_delete_cloudhook
from .door import WebhookDoor
from .managed import ManagedWebhook, is_ours
from .reception import Reception, drop_reception, known_secrets, reception_of
from .refused import Reason
from .store import WebhookStore

_LOGGER = logging.getLogger(__name__)

LOOK_INTERVAL = timedelta(minutes=10)
REFUSED_ISSUES = {
    Reason.FOREIGN: "webhook_refused_foreign",
    Reason.SECRET: "webhook_refused_secret",
}
OTHER_REFUSED_ISSUE = "webhook_refused_other"
_OF_WEBHOOK = (CONF_WEBHOOK_ID, CONF_WEBHOOK_SECRET, CONF_WEBHOOK_EARLIER_SECRETS)


def new_webhook() -> dict[str, str]:
    """Return the part of an entry's data that a webhook needs: its ID in the URL and its secret."""
    return {
        CONF_WEBHOOK_ID: webhook.async_generate_id(),
        CONF_WEBHOOK_SECRET: secrets.token_urlsafe(32),
    }


def connection_settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's data without what may change while it runs."""
    return {key: value for key, value in data.items() if key not in _OF_WEBHOOK}


def uses_webhook(data: Mapping[str, Any]) -> bool:
    """Return whether an entry's data chooses the webhook."""
    return data.get(CONF_DOOR) == DOOR_WEBHOOK


async def async_prepare_webhook(
    hass: HomeAssistant, entry: ConfigEntry, stack: ApplicationClient
) -> None:
    """Receive deliveries from now on; what comes before the application is set up is refused.

    An entry that has left the webhook for another door loses the one that was made for it.
    """
    if not uses_webhook(entry.data):
        if CONF_WEBHOOK_ID in entry.data:
            entry.async_create_background_task(
                hass, _async_leave(hass, entry, stack), f"{DOMAIN} webhook"
            )
        return
    if CONF_WEBHOOK_ID not in entry.data:
        hass.config_entries.async_update_entry(entry, data={**entry.data, **new_webhook()})
    reception = reception_of(hass, entry)
    reception.read = stack.read_delivery
    reception.takes_addresses = not _is_managed(entry, stack)
    store = reception.store
    await store.async_load(entry.title)
    if reception.takes_addresses:
        stack.use_webhook_downlinks(store.address)
    else:
        store.forget_addresses()  # downlinks are sent with the key from now on


def _is_managed(entry: ConfigEntry, stack: ApplicationClient) -> bool:
    """Return whether the webhook in the network can be looked after from here."""
    return bool(entry.data.get(CONF_API_KEY)) and stack.capabilities.webhooks


@callback
def forget_downlink_address(hass: HomeAssistant, entry: ConfigEntry, device_id: str) -> None:
    """Delete the downlink key of an end device that is removed, if there is one."""
    if uses_webhook(entry.data) and CONF_WEBHOOK_ID in entry.data:
        reception_of(hass, entry).store.forget_address(device_id)


@callback
def async_keep_webhook(
    hass: HomeAssistant,
    entry: ConfigEntry,
    stack: ApplicationClient,
    door: object,
    *,
    rights: Callable[[], frozenset[str]],
    device_ids: Callable[[], Iterable[str]],
) -> None:
    """Look after an application's webhook until its entry is unloaded, if it has one."""
    if not isinstance(door, WebhookDoor):
        return
    _watch_refusals(hass, entry, door.reception)
    if not _is_managed(entry, stack):
        door.report(None)  # nobody can tell whether deliveries work
        return
    managed = ManagedWebhook(hass, entry, stack, door, rights=rights, device_ids=device_ids)
    door.managed = managed
    managed.async_start()


@callback
def _watch_refusals(hass: HomeAssistant, entry: ConfigEntry, reception: Reception) -> None:
    """Raise an issue while many deliveries are refused."""
    raised = False

    @callback
    def look(_now: datetime | None = None) -> None:
        nonlocal raised
        if reception.refusals.many == raised:
            return
        raised = not raised
        if not raised:
            clear_issue(hass, f"webhook_refused_{entry.entry_id}")
            return
        counts = reception.refusals.counts
        common = next(reason for reason, _ in counts.most_common() if reason is not Reason.FLOOD)
        raise_issue(
            hass,
            f"webhook_refused_{entry.entry_id}",
            REFUSED_ISSUES.get(common, OTHER_REFUSED_ISSUE),
            {"application": entry.title, "count": str(counts.total())},
        )

    entry.async_on_unload(reception.async_listen(look))
    entry.async_on_unload(async_track_time_interval(hass, look, LOOK_INTERVAL))


async def async_remove_webhook(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete the webhook of an entry that is removed; one that stays is named in an issue."""
    if CONF_WEBHOOK_ID not in entry.data:
        return
    store = drop_reception(hass, entry) or WebhookStore(hass, entry.entry_id)
    try:
        await _async_delete(entry, await async_create_stack(hass, entry.data), store)
    except StackError as err:
        _LOGGER.warning("%s: its webhook could not be deleted: %s", entry.title, err)
        raise_issue(
            hass,
            f"webhook_left_{entry.data[CONF_WEBHOOK_ID][:8]}",
            "webhook_left",
            {"application": entry.title, "error": str(err)},
        )
    await async_delete_cloudhook(hass, str(entry.data[CONF_WEBHOOK_ID]))
    await store.async_remove()


async def _async_leave(hass: HomeAssistant, entry: ConfigEntry, stack: ApplicationClient) -> None:
    """Delete what another door doesn't need; what fails is tried again at the next start."""
    store = drop_reception(hass, entry) or WebhookStore(hass, entry.entry_id)
    try:
        await _async_delete(entry, stack, store)
    except StackError as err:
        _LOGGER.debug("%s: its webhook can't be deleted now: %s", entry.title, err)
        return
    await async_delete_cloudhook(hass, str(entry.data[CONF_WEBHOOK_ID]))
    await store.async_remove()
    kept = {key: value for key, value in entry.data.items() if key not in _OF_WEBHOOK}
    hass.config_entries.async_update_entry(entry, data=kept)


async def _async_delete(entry: ConfigEntry, stack: ApplicationClient, store: WebhookStore) -> None:
    """Delete the webhook on the server if it is ours; raises StackError."""
    async with store.changing:
        store.given_up = True
        await store.async_load(entry.title)
        if not _is_managed(entry, stack):
            return
        for there in await _async_found(stack, store.server_id):
            if is_ours(entry, store.created_at, there):
                await stack.webhooks.delete(there.webhook_id)


async def _async_found(stack: ApplicationClient, webhook_id: str | None) -> Sequence[Webhook]:
    """Return the webhook with an ID, or all where it isn't known; raises StackError."""
    with suppress(NotFound):
        if webhook_id is not None:
            return [await stack.webhooks.get(webhook_id)]
        with suppress(MissingRight):  # such a key has made none
            return await stack.webhooks.list()
    return []


async def async_renew_secret(hass: HomeAssistant, entry: ConfigEntry, door: WebhookDoor) -> str:
    """Give the webhook a new secret, and return it; raises StackError.

    Earlier ones count until deliveries come with the new one: nothing is lost meanwhile.
    """
    secret = secrets.token_urlsafe(32)
    hass.config_entries.async_update_entry(
        entry,
        data={
            **entry.data,
            CONF_WEBHOOK_SECRET: secret,
            CONF_WEBHOOK_EARLIER_SECRETS: list(known_secrets(entry.data)),
        },
    )
    if door.managed is not None:
        await door.managed.async_update_now()
    return secret


def webhook_of(door: object) -> WebhookDoor | None:
    """Return the door if it is a webhook."""
    return door if isinstance(door, WebhookDoor) else None


def webhook_diagnostics(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, Any] | None:
    """Return what is known of the deliveries, without secrets; None without a webhook."""
    if not uses_webhook(entry.data) or CONF_WEBHOOK_ID not in entry.data:
        return None
    reception = reception_of(hass, entry)
    store = reception.store
    return {
        "accepted": reception.accepted,
        "last_accepted": reception.accepted_at.isoformat() if reception.accepted_at else None,
        "refused": {reason.value: reception.refusals.counts[reason] for reason in Reason},
        "made_here": store.created_at is not None,
        "arrival_proved": store.proved is not None,
    }
