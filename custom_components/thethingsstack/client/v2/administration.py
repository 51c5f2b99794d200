"""The application itself, and what a network's configuration is in version 2."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime

from ..administration import ApiKey, Collaborator
from ..configuration import FrequencyPlan
from ..errors import NotSupported
from ..keys import missing
from ..models import Application
from .functions import ApplicationFunctions


class HandlerAdministration:
    """Shows, registers and deletes the application; it has no texts and no list of keys."""

    def __init__(self, application: ApplicationFunctions) -> None:
        """Take what reads and changes the application."""
        self.application = application
        """The application with its payload functions."""

    async def show(self) -> Application:
        """Return the application (right `settings`)."""
        found = await self.application.get()
        return Application(application_id=found.app_id, attributes={})

    async def create(self, application_id: str, **texts: str | None) -> Application:
        """Register this client's application to the Handler, and return it.

        Raises NotSupported for texts and owners, and what `ApplicationFunctions.register` raises.
        """
        if any(texts.values()):
            raise NotSupported("application_settings")
        await self.application.register(application_id)
        return Application(application_id=application_id, attributes={})

    async def update(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        attributes: Mapping[str, str | None] | None = None,
    ) -> Application:
        """Raise NotSupported: an application has no texts."""
        raise NotSupported("application_settings")

    def api_keys(self) -> AsyncGenerator[ApiKey]:
        """Raise NotSupported: keys are the account server's."""
        raise NotSupported("api_keys")

    async def create_api_key(
        self, name: str, rights: Sequence[str], *, expires_at: datetime | None = None
    ) -> ApiKey:
        """Raise NotSupported: keys are the account server's."""
        raise NotSupported("api_keys")

    async def delete_api_key(self, key_id: str) -> None:
        """Raise NotSupported: keys are the account server's."""
        raise NotSupported("api_keys")

    async def collaborators(self) -> list[Collaborator]:
        """Raise NotSupported: collaborators are the account server's."""
        raise NotSupported("api_keys")


class HandlerConfiguration:
    """The network of version 2 has one frequency plan for all, and no defaults for end devices."""

    async def frequency_plans(self, band_id: str | None = None) -> list[FrequencyPlan]:
        """Raise NotSupported: end devices have no frequency plan of their own."""
        raise NotSupported("frequency_plans")

    async def check_frequency_plan(
        self, frequency_plan_id: str, band_id: str | None, whose: str = "the model"
    ) -> None:
        """Raise NotSupported: end devices have no frequency plan of their own."""
        raise NotSupported("frequency_plans")

    async def default_join_eui(self) -> str:
        """Raise InvalidRequest `missing_join_eui`: the Handler has no default."""
        raise missing("join_eui")

    async def dev_addr(self) -> str:
        """Raise InvalidRequest `missing_dev_addr`: the Handler gives addresses over gRPC only."""
        raise missing("dev_addr")
