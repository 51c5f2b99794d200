"""The dialogue that takes entities of MQTT over: which ones, which field each shows, then all."""

import logging
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import EntitySelector, EntitySelectorConfig
import voluptuous as vol

from ..dialogs import ApplicationOptionsFlow, searchable, unchosen
from ..issues import escape_markdown
from .mqtt import MqttMove, async_move, likely_move, mqtt_entities, possible_moves

_LOGGER = logging.getLogger(__name__)

CONF_ENTITIES = "entities"
CONF_FIELD = "field"


class MqttFlow(ApplicationOptionsFlow):
    """Steps: entities, the field of each, what will move."""

    _wanted: list[str] = []
    _moves: list[MqttMove] = []

    async def async_step_mqtt(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which entities are to become ours."""
        errors = {}
        if user_input is not None:
            wanted = list(dict.fromkeys(user_input[CONF_ENTITIES]))
            if wanted and not set(wanted) - mqtt_entities(self.hass).keys():
                self._wanted, self._moves = wanted, []
                return await self.async_step_mqtt_field()
            errors[CONF_ENTITIES] = "choose_from_list"
        entities = EntitySelectorConfig(
            include_entities=list(mqtt_entities(self.hass)), multiple=True
        )
        return self.async_show_form(
            step_id="mqtt",
            data_schema=vol.Schema({vol.Required(CONF_ENTITIES): EntitySelector(entities)}),
            errors=errors,
            last_step=False,
        )

    async def async_step_mqtt_field(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which field the next entity shows."""
        entity_id = self._wanted[len(self._moves)]
        if (entry := mqtt_entities(self.hass).get(entity_id)) is None:
            return self.async_abort(reason="mqtt_failed")
        taken = {move.unique_id for move in self._moves}
        moves = possible_moves(self._coordinator, entry)
        choices = {_label(move): move for move in moves if move.unique_id not in taken}
        if not choices:
            return self.async_abort(
                reason="mqtt_no_field", description_placeholders={"entity": entity_id}
            )
        errors = {}
        if user_input is not None:
            if (move := choices.get(user_input[CONF_FIELD])) is not None:
                self._moves.append(move)
                if len(self._moves) == len(self._wanted):
                    return await self.async_step_mqtt_confirm()
                return await self.async_step_mqtt_field()
            errors[CONF_FIELD] = "choose_from_list"
        state = self.hass.states.get(entity_id)
        likely = likely_move(self.hass, list(choices.values()), self._moves)
        return self.async_show_form(
            step_id="mqtt_field",
            data_schema=vol.Schema(
                {unchosen(CONF_FIELD, _label(likely) if likely else None): searchable(choices)}
            ),
            errors=errors,
            last_step=False,
            description_placeholders={
                "entity": entity_id,
                "value": "-" if state is None else escape_markdown(state.state),
                "number": str(len(self._moves) + 1),
                "count": str(len(self._wanted)),
            },
        )

    async def async_step_mqtt_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what will move, and what to do about the broker; then move."""
        if user_input is not None:
            try:
                await async_move(self._coordinator, self._moves)
            except ValueError as err:
                _LOGGER.warning("Nothing was taken over from MQTT: %s", err)
                return self.async_abort(reason="mqtt_failed")
            return self.async_abort(reason="mqtt_moved")
        moves = [
            f"- `{move.entry.entity_id}` → {escape_markdown(_label(move))}" for move in self._moves
        ]
        return self.async_show_form(
            step_id="mqtt_confirm",
            data_schema=vol.Schema({}),
            description_placeholders={"moves": "\n".join(moves)},
        )


def _label(move: MqttMove) -> str:
    return f"{move.path} · {move.device.name} ({move.device.device_id})"
