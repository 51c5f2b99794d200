"""Dialogue Add end device: registers one in The Things Stack, without storing a subentry."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers.selector import TextSelector
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..application import Refusal, lacking
from ..client import FrequencyPlan, InvalidRequest, NotFound, StackError, version_number
from ..const import DOMAIN
from ..dialogs import BackgroundWork, chosen, labels
from ..issues import escape_markdown
from .import_flow import ImportFlow
from .register import Registered, async_issue_dev_eui, async_register, usual_band, usual_join_eui
from .register_form import (
    RegistrationRequest,
    activation_schema,
    by_hand_schema,
    device_schema,
    listed,
    read_by_hand,
    read_device,
    reversed_euis,
    template_of,
    usable_serial_number,
    usual_plan,
)
from .rights import REGISTER

SUBENTRY_END_DEVICE = "end_device"
INTEGRATION_PAGE = f"/config/integrations/integration/{DOMAIN}"
# Stands for what is generated when the device is registered.
GENERATED = "✱"
WAYS = ["brand", "qr_code", "by_hand", "several"]


class RegisterFlow(ImportFlow):
    """Steps: identify the model, ask for names, EUIs and keys, review, register."""

    def __init__(self) -> None:
        """Start without any answer."""
        super().__init__()
        self._typed: Mapping[str, Any] | None = None
        self._euis: dict[str, str] = {}
        self._serial_number: str | None = None
        """The serial number in the QR code, unchanged."""
        self._note = ""
        """A further line for the review."""
        self._qr_code: str | None = None
        """The text of the QR code by which the end device is claimed; None if it isn't claimed."""
        self._plans: list[FrequencyPlan] = []
        self._accepted: set[str] = set()
        """EUIs that look reversed, but that the user has confirmed."""
        self._defaults: dict[str, str] = {}
        self._request: RegistrationRequest | None = None
        self._issued_dev_eui: str | None = None
        """A DevEUI from the network; used again in another attempt, since their number is limited."""
        self._work: BackgroundWork[Registered] | None = None
        self._registered: Registered | None = None

    # Identify the model

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Let the user choose how to identify the end device: QR code, model or by hand."""
        if not self._coordinator.connection_state.has_key:
            return self.async_abort(reason="no_api_key")
        if rights := lacking(self._coordinator.rights, REGISTER):
            return self.async_abort(
                reason="missing_rights",
                description_placeholders={"rights": rights},
            )
        if not self._coordinator.stack.capabilities.frequency_plans:
            return await self.async_step_activation()
        return self.async_show_menu(step_id="user", menu_options=WAYS)

    # By its QR code

    async def async_step_qr_code(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the text of the QR code on the device."""
        self._refused = None
        if user_input is not None:
            self._qr_code = self._serial_number = None
            try:
                return await self._async_scanned(user_input["qr_code"].strip())
            except InvalidRequest:
                self._refused = Refusal("qr_code", "unknown_qr_code")
            except StackError as err:
                self._refused = self._refusal(err)
        return self._form(
            "qr_code", vol.Schema({vol.Required("qr_code"): TextSelector()}), user_input
        )

    async def _async_scanned(self, text: str) -> SubentryFlowResult:
        stack = self._coordinator.stack
        found = await stack.qr_codes.parse(text)
        self._euis = {
            key: value
            for key, value in (("dev_eui", found.dev_eui), ("join_eui", found.join_eui))
            if value is not None
        }
        self._serial_number = found.serial_number
        if found.join_eui is not None and await stack.claiming.supports(found.join_eui):
            self._qr_code = text
        if found.vendor_id is not None and found.vendor_profile_id is not None:
            try:
                self._template = await stack.repository.template_of_profile(
                    found.vendor_id, found.vendor_profile_id
                )
            except NotFound:
                self._template = None
            else:
                versions = self._template.version_ids
                return await self._async_template_known(versions.band_id if versions else None)
        return await self.async_step_scanned()

    async def async_step_scanned(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the model, since the QR code only contains EUIs."""
        return self.async_show_menu(
            step_id="scanned",
            menu_options=["brand", "by_hand"],
            description_placeholders={"dev_eui": self._euis.get("dev_eui", "-")},
        )

    # By hand

    async def async_step_by_hand(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for LoRaWAN version, frequency plan and activation."""
        self._refused = None
        if user_input is not None:
            try:
                self._template = read_by_hand(user_input)
                return await self._async_template_known(None)
            except Refusal as err:
                self._refused = err
        return self._form("by_hand", by_hand_schema(), user_input)

    async def async_step_activation(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the activation alone, on a network that knows no LoRaWAN versions."""
        if user_input is None:
            return self._form("activation", activation_schema(), None)
        self._template = template_of(user_input["activation"])
        return await self._async_template_known(None)

    # Names, EUIs, keys

    async def _async_template_known(self, band_id: str | None) -> SubentryFlowResult:
        stack = self._coordinator.stack
        if stack.capabilities.frequency_plans:
            async with self._reading():
                self._plans = await stack.configuration.frequency_plans(band_id)
        self._typed = dict(self._euis)
        self._refused = None
        return await self._async_step_facts()

    async def _async_step_facts(self) -> SubentryFlowResult:
        if self._facts_step == "device":
            return await self.async_step_device()
        return await self.async_step_session()

    async def async_step_device(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for names, EUIs and keys of a device that joins."""
        return await self._async_facts("device", user_input)

    async def async_step_session(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for names, address and keys of a device that doesn't join."""
        return await self._async_facts("session", user_input)

    async def _async_facts(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> SubentryFlowResult:
        assert self._template is not None
        plans: dict[str, str] | None = None
        if self._coordinator.stack.capabilities.frequency_plans:
            plans = labels((plan.id, plan.name) for plan in self._plans)
        if user_input is not None:
            self._typed = user_input
            self._refused = None
            try:
                self._request = await self._async_read(plans, user_input)
                if self._request.issue_dev_eui or self._generated_keys:
                    return await self.async_step_review_made()
                return await self.async_step_review()
            except Refusal as err:
                self._refused = err
            except StackError as err:
                self._refused = self._refusal(err)
        usual = usual_plan(self._plans, usual_band(self._coordinator.roster), plans or {})
        schema = device_schema(self._template, plans, usual, claimed=self._qr_code is not None)
        return self._form(step_id, schema, self._typed)

    async def _async_read(
        self, plans: Mapping[str, str] | None, answers: Mapping[str, Any]
    ) -> RegistrationRequest:
        """Return the registration from the answers; raises Refusal for invalid ones."""
        assert self._template is not None
        for field, (given, usual) in reversed_euis(answers).items():
            if given not in self._accepted:
                self._accepted.add(given)
                raise Refusal(field, "eui_reversed", given=given, usual=usual)
        area_id = answers.get("area")
        if area_id is not None and ar.async_get(self.hass).async_get_area(area_id) is None:
            raise Refusal("area", "choose_from_list")
        roster = self._coordinator.roster
        request = read_device(
            self._template,
            answers,
            plan_id=""
            if plans is None
            else chosen("frequency_plan", answers["frequency_plan"], plans),
            taken={*roster.registrations, *(s.device_id for s in roster.states.values())},
            defaults=await self._async_defaults(answers),
            claimed=self._qr_code is not None,
        )
        self._note = await self._async_note(issues_dev_eui=request.issue_dev_eui)
        serial_number = usable_serial_number(self._serial_number)
        registration = replace(request.registration, serial_number=serial_number)
        await self._coordinator.stack.end_devices.check(registration)
        return replace(request, registration=registration)

    async def _async_defaults(self, answers: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the server's values for empty answers: JoinEUI, device address; read once."""
        assert self._template is not None
        wanted = "join_eui" if self._template.supports_join else "dev_addr"
        if wanted not in self._defaults and not str(answers.get(wanted, "")).strip():
            if not self._coordinator.stack.capabilities.frequency_plans:
                return self._defaults_of_others(wanted)
            configuration = self._coordinator.stack.configuration
            self._defaults[wanted] = await (
                configuration.default_join_eui()
                if wanted == "join_eui"
                else configuration.dev_addr()
            )
        return self._defaults

    def _defaults_of_others(self, wanted: str) -> Mapping[str, str]:
        """Return the JoinEUI of the other end devices, where the network has none to give."""
        usual = usual_join_eui(self._coordinator.roster) if wanted == "join_eui" else None
        if usual is None:
            raise Refusal(wanted, "not_an_eui" if wanted == "join_eui" else "not_an_address")
        return {wanted: usual}

    async def async_step_review(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what will be registered."""
        return self._review("review")

    async def async_step_review_made(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what will be registered, and that some of it is generated."""
        return self._review("review_made")

    @callback
    def _review(self, step_id: str) -> SubentryFlowResult:
        """Show a menu: register it, or go back to the form."""
        return self.async_show_menu(
            step_id=step_id,
            menu_options=["register", self._facts_step],
            description_placeholders=self._placeholders(),
        )

    @property
    def _facts_step(self) -> str:
        """Return the step that asks for names, EUIs and keys."""
        return "device" if self._template is None or self._template.supports_join else "session"

    def _placeholders(self) -> dict[str, str]:
        assert self._request is not None
        registration = self._request.registration
        versions, plan_id = registration.version_ids, registration.frequency_plan_id or ""
        facts = {"DevEUI": GENERATED if self._request.issue_dev_eui else registration.dev_eui}
        facts["JoinEUI"] = registration.join_eui if registration.session is None else None
        facts["DevAddr"] = registration.session.dev_addr if registration.session else None
        facts |= dict.fromkeys(self._generated_keys, GENERATED)
        facts["Serial number"] = registration.serial_number
        return {
            "device": escape_markdown(registration.name or registration.device_id),
            "device_id": registration.device_id,
            "model": self._model_name(versions),
            "version": version_number(registration.lorawan_version or ""),
            "plan": next((plan.name for plan in self._plans if plan.id == plan_id), plan_id) or "-",
            "facts": "\n".join(filter(None, (listed(facts), self._note))),
        }

    @property
    def _generated_keys(self) -> list[str]:
        """Return the names of the keys that will be generated."""
        assert self._request is not None
        return [name for name in self._request.generated if name != "DevAddr"]

    async def _async_note(self, *, issues_dev_eui: bool) -> str:
        """Return notes for the review: what can't be stored, and what a bought device has."""
        notes = {}
        if self._serial_number is not None and not usable_serial_number(self._serial_number):
            notes["serial_number_unused"] = self._serial_number.replace("`", "'")
        if issues_dev_eui and self._template is not None and self._template.version_ids:
            notes["dev_eui_missing"] = ""
        if not notes:
            return ""
        language = self.hass.config.language
        texts = await async_get_translations(self.hass, language, "selector", [DOMAIN])
        prefix = f"component.{DOMAIN}.selector.registration_note.options."
        return "\n".join(
            f"- {texts[prefix + key].format(serial=serial)}" for key, serial in notes.items()
        )

    # Registering

    async def async_step_register(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Register in the background, and show the progress."""
        if self._work is None:
            self._work = BackgroundWork(
                self.hass,
                self._get_entry(),
                "register",
                self._async_register(),
            )
        if not self._work.waiting.done():
            return self.async_show_progress(
                step_id="register",
                progress_action="register",
                progress_task=self._work.waiting,
                description_placeholders=self._placeholders(),
            )
        work, self._work = self._work, None
        if work.interrupted:
            return self.async_show_progress_done(next_step_id="interrupted")
        try:
            self._registered = work.result()
        except StackError as err:
            self._refused = self._refusal(err)
            return self.async_show_progress_done(next_step_id=self._facts_step)
        return self.async_show_progress_done(next_step_id="registered")

    async def _async_register(self) -> Registered:
        """Register it, with a DevEUI from the network if the user chose that; raises StackError."""
        assert self._request is not None
        coordinator, registration = self._coordinator, self._request.registration
        if self._request.issue_dev_eui:
            if self._issued_dev_eui is None:
                self._issued_dev_eui = await async_issue_dev_eui(coordinator.stack)
            if self._issued_dev_eui is not None:
                registration = replace(registration, dev_eui=self._issued_dev_eui)
        return await async_register(
            coordinator, registration, qr_code=self._qr_code, area_id=self._request.area_id
        )

    async def async_step_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Abort: the application was unloaded meanwhile, and the registration was rolled back."""
        return self.async_abort(reason="not_loaded")

    async def async_step_registered(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the EUIs, the address and the keys that must be written to the end device."""
        assert self._registered is not None
        assert self._request is not None
        ids, session = self._registered.end_device.ids, self._request.registration.session
        generated = self._request.generated
        facts = {"DevEUI": ids.dev_eui}
        if session is None:
            facts["JoinEUI"] = ids.join_eui
        else:
            facts["DevAddr"] = session.dev_addr
        device = self._registered.state
        return self.async_abort(
            reason="registered_with_keys" if generated else "registered",
            description_placeholders={
                **self._placeholders(),
                "facts": listed({**facts, **generated}),
                "page": f"/config/devices/device/{device.registry_id}"
                if device
                else INTEGRATION_PAGE,
            },
        )

    @callback
    def async_remove(self) -> None:
        """Cancel the work when the dialogue is closed, which rolls it back."""
        super().async_remove()
        if self._work is not None:
            self._work.cancel()
