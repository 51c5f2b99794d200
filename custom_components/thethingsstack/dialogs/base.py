"""Shared by all dialogues: access to the running application, and forms with errors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, OptionsFlow
from homeassistant.data_entry_flow import AbortFlow, FlowHandler, FlowResult
import voluptuous as vol

from ..application import BASE

if TYPE_CHECKING:
    from ..application import Refusal
    from ..coordinator import ApplicationCoordinator, TtsConfigEntry


def running(entry: ConfigEntry) -> ApplicationCoordinator:
    """Return the application; it may be reloaded or stopped while a dialogue is open.

    Raises AbortFlow `not_loaded`, which ends the dialogue.
    """
    if entry.state is not ConfigEntryState.LOADED:
        raise AbortFlow("not_loaded")
    coordinator: ApplicationCoordinator = entry.runtime_data
    return coordinator


class ApplicationOptionsFlow(OptionsFlow):
    """A part of the options that needs the application connected."""

    config_entry: TtsConfigEntry

    @property
    def _coordinator(self) -> ApplicationCoordinator:
        return running(self.config_entry)


def form[ResultT: FlowResult[Any, Any]](
    flow: FlowHandler[Any, ResultT, Any],
    step_id: str,
    schema: vol.Schema,
    suggested: Mapping[str, Any] | None,
    refused: Refusal | None,
    *,
    placeholders: Mapping[str, str] | None = None,
    last_step: bool | None = None,
) -> ResultT:
    """Show a form with the typed values and the refusal, at its field or above all fields."""
    errors = {}
    if refused is not None:
        errors[refused.field if refused.field in schema.schema else BASE] = refused.key
    return flow.async_show_form(
        step_id=step_id,
        data_schema=flow.add_suggested_values_to_schema(schema, suggested),
        errors=errors,
        description_placeholders={
            **(placeholders or {}),
            **(refused.placeholders if refused else {}),
        },
        last_step=last_step,
    )
