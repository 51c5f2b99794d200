"""What more an API key would allow with rights that it lacks: a step of the options."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow

from ..issues import application_name, escape_markdown
from .probe import async_missing


class MoreRightsFlow(OptionsFlow):
    """Shows which rights can be added to the key, and reads them again."""

    async def _async_missing(self) -> str:
        """Return what is missing as lines of Markdown.

        Empty where nothing is, without a key, and on networks without a Console to add rights in.
        """
        coordinator = self.config_entry.runtime_data
        stack = coordinator.stack
        if not stack.connection.api_key or not stack.capabilities.console:
            return ""
        return await async_missing(self.hass, coordinator.rights, stack.capabilities)

    async def async_step_more_rights(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is missing, and where to add it."""
        if not (missing := await self._async_missing()):
            return await self.async_step_all_rights()
        return self.async_show_menu(
            step_id="more_rights",
            menu_options=["check_rights", "init"],
            description_placeholders={
                "application": escape_markdown(application_name(self.config_entry)),
                "console": self.config_entry.runtime_data.roster.console_url(),
                "missing": missing,
            },
        )

    async def async_step_check_rights(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read the key's rights, and show what is missing now."""
        await self.config_entry.runtime_data.connection_state.async_check_rights()
        return await self.async_step_more_rights()

    async def async_step_all_rights(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say that the key has all rights."""
        return self.async_show_menu(step_id="all_rights", menu_options=["init"])
