"""Steps that options and repair share: decode in Home Assistant, and how."""

from abc import abstractmethod
from typing import Any

from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..application import Refusal
from ..const import DOMAIN
from ..dialogs import form
from ..payload.decoders import DecodeError, DecoderKind, Order, RowType, TableError
from .local_decoding import SERVER, LocalDecoding
from .trial import ANOTHER_FIELD, CONF_ANOTHER

CONF_DECODER = "decoder"
CONF_ALWAYS = "always"
CONF_ROWS = "rows"


class LocalDecodingSteps[ContextT: FlowContext, ResultT: FlowResult[Any, Any]](
    FlowHandler[ContextT, ResultT, str]
):
    """CayenneLPP, a table or the model's → the rows → what becomes of the last uplinks → saved."""

    _decoding: LocalDecoding

    @abstractmethod
    async def _async_decoding_saved(self) -> ResultT:
        """End the dialogue after the choice was saved."""

    async def async_step_local_decoder(self, user_input: dict[str, Any] | None = None) -> ResultT:
        """Ask how the uplinks are to be decoded here."""
        refused = None
        decoding = self._decoding
        if user_input is not None:
            decoding.kind = user_input[CONF_DECODER]
            decoding.always = user_input.get(CONF_ALWAYS, False)
            if decoding.kind == DecoderKind.TABLE:
                return await self.async_step_local_decoder_table()
            if decoding.kind == SERVER:
                decoding.choose()
                await decoding.async_save()
                return await self._async_decoding_saved()
            try:
                return await self._async_try_decoder(CONF_DECODER)
            except Refusal as err:
                refused = err
        kinds = SelectSelector(
            SelectSelectorConfig(
                options=decoding.kinds,
                translation_key="local_decoder",
                mode=SelectSelectorMode.LIST,
            )
        )
        schema = vol.Schema(
            {
                vol.Required(CONF_DECODER): kinds,
                vol.Optional(CONF_ALWAYS, default=False): BooleanSelector(),
            }
        )
        answers = {CONF_DECODER: decoding.kind, CONF_ALWAYS: decoding.always}
        return self._decoder_form("local_decoder", schema, answers, refused)

    async def async_step_local_decoder_table(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Ask for the rows of the table."""
        refused = None
        decoding = self._decoding
        if user_input is not None:
            decoding.rows = user_input.get(CONF_ROWS) or []
            if user_input.get(CONF_ANOTHER):
                return await self.async_step_local_decoder()
            try:
                return await self._async_try_decoder(CONF_ROWS)
            except Refusal as err:
                refused = err
        schema = vol.Schema({vol.Optional(CONF_ROWS): await self._async_rows(), **ANOTHER_FIELD})
        return self._decoder_form(
            "local_decoder_table", schema, {CONF_ROWS: decoding.rows}, refused
        )

    async def _async_try_decoder(self, field: str) -> ResultT:
        """Show what becomes of the last uplinks; raises Refusal where none can be decoded."""
        decoding = self._decoding
        try:
            decoding.choose()
        except TableError as err:
            reason = await decoding.async_reason(err)
            raise Refusal(field, "decoder_wrong", reason=reason) from err
        results = decoding.decode_frames()
        failures = [result for result in results if isinstance(result, DecodeError)]
        if failures and len(failures) == len(results):
            reason = await decoding.async_reason(failures[0])
            raise Refusal(field, "decoder_unfit", reason=reason)
        return await self.async_step_local_decoder_result()

    async def async_step_local_decoder_result(
        self, user_input: dict[str, Any] | None = None
    ) -> ResultT:
        """Show what becomes of the last uplinks, and save."""
        if user_input is not None:
            if not user_input.get(CONF_ANOTHER):
                await self._decoding.async_save()
                return await self._async_decoding_saved()
            if self._decoding.kind == DecoderKind.TABLE:
                return await self.async_step_local_decoder_table()
            return await self.async_step_local_decoder()
        preview = await self._decoding.async_preview()
        return self._decoder_form(
            "local_decoder_result",
            vol.Schema({**ANOTHER_FIELD}),
            None,
            None,
            preview=preview or "-",
        )

    def _decoder_form(
        self,
        step_id: str,
        schema: vol.Schema,
        answers: dict[str, Any] | None,
        refused: Refusal | None,
        **more: str,
    ) -> ResultT:
        names = {**self._decoding.placeholders(), **more}
        last = step_id == "local_decoder_result"
        return form(self, step_id, schema, answers, refused, placeholders=names, last_step=last)

    async def _async_rows(self) -> ObjectSelector:
        """Return the editor of rows; the frontend doesn't translate the choices in it."""
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, "selector", {DOMAIN})

        def choice(key: str, options: type[RowType | Order]) -> SelectSelector:
            prefix = f"component.{DOMAIN}.selector.{key}.options."
            return SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=option, label=texts.get(prefix + option, option))
                        for option in options
                    ],
                    mode=SelectSelectorMode.DROPDOWN,
                )
            )

        fields: dict[str, ObjectSelectorField] = {
            "name": {"selector": TextSelector(), "required": True},
            "byte": {"selector": _number(1), "required": True, "default": 0},
            "bytes": {"selector": _number(1)},
            "bits": {"selector": TextSelector()},
            "type": {"selector": choice("row_type", RowType)},
            "order": {"selector": choice("row_order", Order)},
            "factor": {"selector": _number("any")},
            "offset": {"selector": _number("any")},
            "unit": {"selector": TextSelector()},
            "words": {"selector": TextSelector()},
            "absent": {"selector": TextSelector()},
            "f_port": {"selector": _number(1)},
            "optional": {"selector": BooleanSelector()},
        }
        return ObjectSelector(
            ObjectSelectorConfig(
                fields=fields,
                multiple=True,
                label_field="name",
                description_field="byte",
                translation_key="decoder_row",
            )
        )


def _number(step: Any) -> NumberSelector:
    return NumberSelector(NumberSelectorConfig(step=step, mode=NumberSelectorMode.BOX))
