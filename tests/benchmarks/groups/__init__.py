"""The groups of rows that can be chosen, in the order in which they are measured."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from .amount import Amount, Section
from .dialogues import measure_dialogues
from .entries import measure_entries
from .live import measure_live
from .main import measure_main
from .payloads import measure_partly, measure_wide
from .recorder import measure_recorder
from .stalls import measure_stalls
from .tls import measure_tls

__all__ = ["GROUPS", "Amount", "Group", "Section"]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are measured together, in processes of their own."""

    title: str
    measure: Callable[[Amount], Awaitable[Section]]


GROUPS: Mapping[str, Group] = {
    "main": Group("8 fields per device, all changing", measure_main),
    "partly": Group("2 of 8 values changing", measure_partly),
    "fields": Group("80 fields, flat and nested", measure_wide),
    "tls": Group("MQTT over TLS", measure_tls),
    "entries": Group("many devices over three config entries", measure_entries),
    "recorder": Group("the recorder on, with SQLite", measure_recorder),
    "live": Group("the live view with one watcher", measure_live),
    "dialogues": Group("dialogues and lists", measure_dialogues),
    "stalls": Group("stalls of the event loop", measure_stalls),
}
