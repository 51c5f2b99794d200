"""The steps of the dialogue for new end devices that register all in a file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from ..application import Refusal, error_text
from ..client import LORAWAN_VERSIONS, InvalidRequest, StackError, version_number
from ..client.bulk import DeviceFile, Outcome, Status
from ..const import DOMAIN
from ..dialogs import BackgroundWork, chosen, labels, searchable
from ..issues import escape_markdown
from .import_devices import (
    MAX_BYTES,
    async_check_devices,
    async_import_devices,
    async_read_devices,
    note_text,
    problem_text,
)
from .model_flow import ModelFlow

SHOWN = 100
"""So many rows are shown at most, those with problems first; the frontend takes long for more."""
_REPORT = f"component.{DOMAIN}.config_subentries.end_device.abort.several_registered"


def several_schema(plans: Iterable[str]) -> vol.Schema:
    """Return the form for a file: uploaded or pasted, and what it may lack."""
    versions = [
        SelectOptionDict(value=version, label=version_number(version))
        for version in LORAWAN_VERSIONS
    ]
    return vol.Schema(
        {
            vol.Optional("file"): FileSelector(FileSelectorConfig(accept=".csv,.json,.txt")),
            vol.Optional("content"): TextSelector(TextSelectorConfig(multiline=True)),
            vol.Optional("frequency_plan"): searchable(plans),
            vol.Optional("lorawan_version"): SelectSelector(
                SelectSelectorConfig(options=versions, mode=SelectSelectorMode.DROPDOWN)
            ),
        }
    )


class ImportFlow(ModelFlow):
    """Steps: a file, a check of all its rows, a preview, registering, a report."""

    def __init__(self) -> None:
        """Start without a file."""
        super().__init__()
        self._plan_labels: dict[str, str] = {}
        self._answers: Mapping[str, Any] | None = None
        self._file: DeviceFile | None = None
        self._outcomes: list[Outcome] = []
        self._import_work: BackgroundWork[None] | None = None
        self._import_texts: Mapping[str, str] = {}

    async def async_step_several(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the file."""
        if user_input is not None:
            self._refused = None
            # An uploaded file is gone once it was read.
            self._answers = {key: value for key, value in user_input.items() if key != "file"}
            try:
                self._file = await self._async_file(user_input)
                return await self.async_step_check_several()
            except Refusal as err:
                self._refused = err
            except InvalidRequest as err:
                self._refused = Refusal("base", "file_unusable", reason=error_text(err))
        if not self._plan_labels:
            async with self._reading():
                plans = await self._coordinator.stack.configuration.frequency_plans()
            self._plan_labels = labels((plan.id, plan.name) for plan in plans)
        return self._form("several", several_schema(self._plan_labels), self._answers)

    async def _async_file(self, answers: Mapping[str, Any]) -> DeviceFile:
        """Return the end devices in the file; raises Refusal or InvalidRequest without any."""
        plan = answers.get("frequency_plan")
        defaults = {
            "frequency_plan_id": chosen("frequency_plan", plan, self._plan_labels)
            if plan
            else None,
            "lorawan_version": answers.get("lorawan_version"),
        }
        content: str | bytes = answers.get("content", "").strip()
        if file_id := answers.get("file"):
            if content:
                raise Refusal("content", "file_or_text")
            try:
                content = await self.hass.async_add_executor_job(self._uploaded, file_id)
            except ValueError as err:
                raise Refusal("file", "file_gone") from err
        if len(content) > MAX_BYTES:
            raise Refusal("base", "file_too_large", maximum=MAX_BYTES // 1_000_000)
        return await async_read_devices(self.hass, content, defaults)

    def _uploaded(self, file_id: str) -> bytes:
        """Return the content of an uploaded file; raises ValueError if it isn't there."""
        with process_uploaded_file(self.hass, file_id) as path, path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    # Checking

    async def async_step_check_several(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Check all rows in the background, and show the progress."""
        return await self._async_progress("check_several", self._async_check, "several_review")

    async def _async_check(self) -> None:
        assert self._file is not None
        self._outcomes = []
        async for outcome in async_check_devices(self._coordinator, self._file):
            self._outcomes.append(outcome)
            self.async_update_progress(len(self._outcomes) / len(self._file.rows))

    async def async_step_several_review(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what will be registered and what not."""
        await self._async_load_texts()
        if not self._count(Status.READY):
            return self.async_show_menu(
                step_id="several_none",
                menu_options=["several"],
                description_placeholders=self._import_placeholders(),
            )
        return self.async_show_menu(
            step_id="several_review",
            menu_options=["register_several", "several"],
            description_placeholders=self._import_placeholders(),
        )

    async def async_step_several_none(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show the review again: nothing in the file can be registered."""
        return await self.async_step_several_review()

    # Registering

    async def async_step_register_several(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Register in the background, and show the progress."""
        return await self._async_progress(
            "register_several", self._async_register_several, "several_registered"
        )

    async def _async_register_several(self) -> None:
        """Register all that can be; the report stays as a notification, if closed, too."""
        number = 0
        try:
            async for outcome in async_import_devices(self._coordinator, list(self._outcomes)):
                self._outcomes[number] = outcome
                number += 1
                self.async_update_progress(number / len(self._outcomes))
        finally:
            text = self._import_texts[_REPORT].format(**self._import_placeholders())
            persistent_notification.async_create(
                self.hass, text, self._get_entry().title, f"{DOMAIN}_import_{self.flow_id}"
            )

    async def async_step_several_registered(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Show what became of each row."""
        return self.async_abort(
            reason="several_registered", description_placeholders=self._import_placeholders()
        )

    async def async_step_several_interrupted(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Abort: the application was unloaded meanwhile."""
        return self.async_abort(reason="not_loaded")

    @callback
    def async_remove(self) -> None:
        """Stop when the dialogue is closed; what was registered stays."""
        if self._import_work is not None:
            self._import_work.cancel()

    # Shared

    async def _async_progress(self, step: str, work: Any, following: str) -> SubentryFlowResult:
        """Show the progress of work until it ends, and go on with the following step."""
        if self._import_work is None:
            self._import_work = BackgroundWork(self.hass, self._get_entry(), step, work())
        if not self._import_work.waiting.done():
            count = len(self._outcomes) if step == "register_several" else len(self._rows)
            return self.async_show_progress(
                step_id=step,
                progress_action=step,
                progress_task=self._import_work.waiting,
                description_placeholders={"count": str(count)},
            )
        done, self._import_work = self._import_work, None
        if done.interrupted:
            return self.async_show_progress_done(next_step_id="several_interrupted")
        try:
            done.result()
        except StackError as err:
            self._refused = self._refusal(err)
            return self.async_show_progress_done(next_step_id="several")
        return self.async_show_progress_done(next_step_id=following)

    @property
    def _rows(self) -> Sequence[Any]:
        return () if self._file is None else self._file.rows

    def _count(self, *statuses: Status) -> int:
        return sum(outcome.status in statuses for outcome in self._outcomes)

    async def _async_load_texts(self) -> None:
        language = self.hass.config.language
        for category in ("selector", "config_subentries"):
            found = await async_get_translations(self.hass, language, category, [DOMAIN])
            self._import_texts = {**self._import_texts, **found}

    def _import_placeholders(self) -> dict[str, str]:
        assert self._file is not None
        failed = (Status.REFUSED, Status.HALF_CREATED, Status.NOT_TRIED)
        first = sorted(self._outcomes, key=lambda o: (not o.problems, o.row.line))
        rows = [self._row(outcome) for outcome in first[:SHOWN]]
        if len(first) > SHOWN:
            rows.append(f"| … | +{len(first) - SHOWN} | |")
        return {
            "ready": str(self._count(Status.READY)),
            "registered": str(self._count(Status.REGISTERED)),
            "present": str(self._count(Status.PRESENT)),
            "failed": str(self._count(*failed)),
            "notes": "\n".join(escape_markdown(note_text(note)) for note in self._file.notes),
            "rows": "\n".join(rows),
        }

    def _row(self, outcome: Outcome) -> str:
        """Return a row of the table: line, end device, what becomes of it and why."""
        key = f"component.{DOMAIN}.selector.import_status.options.{outcome.status.value}"
        texts = [*map(problem_text, outcome.problems), *map(note_text, outcome.row.notes)]
        row = outcome.row
        cells = (str(row.line), row.name or row.device_id or row.dev_eui or "-", *texts)
        line, name, *why = [_cell(text) for text in cells]
        result = "<br>".join((f"**{self._import_texts[key]}**", *why))
        return f"| {line} | {name} | {result} |"


def _cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return escape_markdown(" ".join(text.split())).replace("|", "\\|")
