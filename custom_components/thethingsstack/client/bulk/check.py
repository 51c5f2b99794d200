"""Check the rows of a file against a network: models, frequency plans, IDs and EUIs in use."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Self

from ..capabilities import Capabilities
from ..configuration import FrequencyPlan, check_plan_among
from ..device_request import PreparedRegistration, prepare_registration
from ..errors import (
    AuthenticationFailed,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    MissingRight,
    NotFound,
    StackError,
)
from ..models import EndDeviceIds
from ..protocols import (
    ApplicationClient,
    ClaimingCalls,
    ConfigurationCalls,
    EndDeviceCalls,
    QrCodeCalls,
    TemplateCalls,
)
from ..registration import Registration
from ..repository import DeviceTemplate
from .outcome import Outcome, Status
from .rows import Problem, Row

_OF_ALL = (AuthenticationFailed, ConnectionFailed, MissingRight)
"""Errors that are not those of a row: the others would have them, too."""


async def check_rows(stack: ApplicationClient, rows: Sequence[Row]) -> AsyncGenerator[Outcome]:
    """Yield for each row whether it can be registered; changes nothing.

    The status is READY, PRESENT (the same end device is registered already) or REFUSED. What all
    rows need is asked once. Raises StackError where nothing can be checked: the server isn't
    reached, the key is refused, or the application is on another cluster (`wrong_cluster`).
    """
    taken = _Taken([device.ids async for device in stack.devices(("name",))], stack)
    lookups = _Lookups.of(stack)
    asked = False
    for row in rows:
        if row.request is None:
            yield Outcome(row=row, status=Status.REFUSED, problems=row.problems)
            continue
        try:
            prepared = await prepare_registration(lookups, row.request)
            if taken.present(prepared):
                yield Outcome(row=row, status=Status.PRESENT)
                continue
            if not asked:
                # What only the server knows, such as the application's cluster.
                await stack.end_devices.check(prepared.registration)
                asked = True
        except StackError as error:
            if isinstance(error, _OF_ALL) or error.name == "wrong_cluster":
                raise
            yield Outcome(row=row, status=Status.REFUSED, problems=(Problem(error=error),))
        else:
            yield Outcome(row=row, status=Status.READY, prepared=prepared)


def _euis(of: EndDeviceIds | Registration) -> tuple[str | None, str | None]:
    return of.dev_eui, of.join_eui


class _Taken:
    """The IDs and EUIs of the application's end devices."""

    def __init__(self, found: Sequence[EndDeviceIds], stack: ApplicationClient) -> None:
        self._by_id = {ids.device_id: ids for ids in found}
        self._by_euis = {_euis(ids): ids for ids in found if ids.dev_eui}
        self._application_id = stack.connection.application_id

    def present(self, prepared: PreparedRegistration) -> bool:
        """Return whether the end device is there already.

        Raises Conflict if another one has its ID (`id_taken`) or its EUIs
        (`end_device_euis_taken`).
        """
        wanted = prepared.registration
        there = self._by_id.get(wanted.device_id)
        if there is not None:
            if there.dev_eui == wanted.dev_eui and there.join_eui in (None, wanted.join_eui):
                return True
            raise self._conflict("the device ID `{}` is taken", "id_taken", there)
        if (there := self._by_euis.get(_euis(wanted))) is not None:
            raise self._conflict("device `{}` has its EUIs", "end_device_euis_taken", there)
        return False

    def _conflict(self, text: str, name: str, ids: EndDeviceIds) -> Conflict:
        attributes = {"device_id": ids.device_id, "application_id": self._application_id}
        return Conflict(text.format(ids.device_id), name=name, attributes=attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lookups:
    """What preparing a registration asks the network, each thing once for all rows."""

    capabilities: Capabilities
    end_devices: EndDeviceCalls
    configuration: ConfigurationCalls
    repository: TemplateCalls
    claiming: ClaimingCalls
    qr_codes: QrCodeCalls

    @classmethod
    def of(cls, stack: ApplicationClient) -> Self:
        can = stack.capabilities
        return cls(
            capabilities=can,
            end_devices=stack.end_devices,
            configuration=_Configuration(stack.configuration)
            if can.frequency_plans
            else stack.configuration,
            repository=_Templates(stack.repository),
            claiming=stack.claiming,
            qr_codes=stack.qr_codes,
        )


class _Configuration:
    def __init__(self, calls: ConfigurationCalls) -> None:
        self._calls = calls
        self._plans: list[FrequencyPlan] | None = None
        self._join_eui: str | None = None

    async def frequency_plans(self, band_id: str | None = None) -> list[FrequencyPlan]:
        if self._plans is None:
            self._plans = await self._calls.frequency_plans()
        return [plan for plan in self._plans if band_id in (None, plan.band_id)]

    async def check_frequency_plan(
        self, frequency_plan_id: str, band_id: str | None, whose: str = "the model is"
    ) -> None:
        check_plan_among(await self.frequency_plans(), frequency_plan_id, band_id, whose)

    async def default_join_eui(self) -> str:
        if self._join_eui is None:
            self._join_eui = await self._calls.default_join_eui()
        return self._join_eui

    async def dev_addr(self) -> str:
        return await self._calls.dev_addr()


class _Templates:
    def __init__(self, calls: TemplateCalls) -> None:
        self._calls = calls
        self._found: dict[tuple[str, ...], DeviceTemplate | StackError] = {}

    async def template(
        self, brand_id: str, model_id: str, firmware_version: str, band_id: str
    ) -> DeviceTemplate:
        model = (brand_id, model_id, firmware_version, band_id)
        if (found := self._found.get(model)) is None:
            try:
                found = await self._calls.template(*model)
            except (NotFound, InvalidRequest) as error:
                found = error
            self._found[model] = found
        if isinstance(found, StackError):
            raise found
        return found

    async def template_of_profile(self, vendor_id: int, vendor_profile_id: int) -> DeviceTemplate:
        return await self._calls.template_of_profile(vendor_id, vendor_profile_id)
