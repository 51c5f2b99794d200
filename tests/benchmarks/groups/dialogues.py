"""Dialogues and lists with many end devices: how long the server takes for each step."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from ...child_process import Child
from ..measure import started
from ..rows import Row
from ..variants import OURS
from ..visits import visitor
from .amount import Amount, Section

LIMIT = 300
"""Milliseconds for a step."""
ROUNDS = 3
_FLOW = "config/config_entries/options/flow"
_LISTS = (
    ("list of applications", "thethingsstack/panel/applications", False),
    ("list of end devices", "thethingsstack/panel/fleet", True),
    ("list of gateways", "thethingsstack/panel/gateways", False),
)


async def measure_dialogues(amount: Amount) -> Section:
    """Measure each step as the browser sees it: until the answer is here."""
    plan = amount.plan(visited=True, variants=(OURS.key,), repeated_setups=0)
    async with started(plan, amount.say) as bench, visitor(bench) as browser:
        await bench.set_up()
        await bench.settle()
        (entry_id,) = await bench.homes[OURS.key].ask("entry_ids")
        times: dict[str, list[float]] = {}
        for number in range(1 if amount.quick else ROUNDS):
            amount.say(f"dialogues, round {number + 1}")
            async for title, took in _visit(browser, entry_id):
                times.setdefault(title, []).append(took)
        rows = [
            Row(title=f"{title}, ms", values=took, limit=LIMIT, digits=0)
            for title, took in times.items()
        ]
        return Section(devices=plan.devices, broker=bench.processes.broker_name, rows=rows)


async def _visit(browser: Child, entry_id: str) -> AsyncIterator[tuple[str, float]]:
    """Yield the steps of all dialogues, and their milliseconds."""
    fields = _Dialogue(browser, entry_id)
    yield "options: menu", await fields.open()
    yield "Fields: end devices", await fields.choose("fields")
    yield "Fields: fields of one", await fields.answer(pick_last=True)
    yield "Fields: one field", await fields.answer(pick_last=True)
    yield "Fields: kept", await fields.answer()
    yield "Fields: closed", await fields.choose("done")
    for title, step in (("Edit", "change"), ("Replace", "replace"), ("Delete", "remove")):
        dialogue = _Dialogue(browser, entry_id)
        await dialogue.open()
        yield f"{title}: end devices", await dialogue.choose(step)
        if step == "change":
            yield "Edit: one of them", await dialogue.answer(pick_last=True)
            yield "Edit: its properties", await dialogue.choose("change_what")
    general = _Dialogue(browser, entry_id)
    await general.open()
    yield "general options", await general.choose("general")
    yield "general options: kept", await general.answer()
    for title, kind, event in _LISTS:
        yield title, await browser.ask("command", kind=kind, event=event)


class _Dialogue:
    """One dialogue of the options; each step returns its milliseconds."""

    def __init__(self, browser: Child, entry_id: str) -> None:
        self._browser = browser
        self._entry_id = entry_id
        self._shown: Mapping[str, Any] = {}

    async def open(self) -> float:
        """Show its menu."""
        return await self._post(_FLOW, {"handler": self._entry_id})

    async def choose(self, step: str) -> float:
        """Go on with an item of a menu."""
        return await self._post(self._path, {"next_step_id": step})

    async def answer(self, *, pick_last: bool = False) -> float:
        """Send a form as it was proposed; or with the last of each list chosen."""
        answers = {}
        for item in self._shown["data_schema"]:
            options = item.get("selector", {}).get("select", {}).get("options")
            proposed = item.get("description", {}).get("suggested_value", item.get("default"))
            if pick_last and options:
                answers[item["name"]] = options[-1]
            elif proposed is not None:
                answers[item["name"]] = proposed
        return await self._post(self._path, answers)

    @property
    def _path(self) -> str:
        return f"{_FLOW}/{self._shown['flow_id']}"

    async def _post(self, path: str, body: Mapping[str, Any]) -> float:
        answered = await self._browser.ask("post", path=path, body=body)
        self._shown = answered["answer"]
        if errors := self._shown.get("errors"):
            raise RuntimeError(f"the dialogue refused {body}: {errors}")
        return float(answered["took"])
