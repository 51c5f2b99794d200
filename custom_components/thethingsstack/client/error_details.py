"""The server's details of an error: name, text and attributes, from its nested causes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import html
import re
from typing import Any, Self

from . import json_values
from .rules import plain_reason

_MAX_CAUSES = 8
_SAYS_NOTHING = re.compile(r"invalid \w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """The server's details of an error.

    `name` and `namespace` are the outermost error's. Message and attributes are those of the
    innermost cause that says what is wrong; of a wrong field, `attributes` has the whole path as
    `field` and the server's rule as `reason`.
    """

    namespace: str | None
    name: str
    message: str
    attributes: Mapping[str, Any]
    cause_name: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read error details with their causes; messages have their attributes filled in."""
        chain = _causes(data)
        name = json_values.text(data.get("name")) or "unknown"
        attributes: dict[str, Any] = {}
        for level in chain:
            attributes |= json_values.mapping(level.get("attributes"))
        if path := _field_path(chain):
            reason = html.unescape(str(attributes["reason"]))
            attributes |= {"field": ".".join(path), "reason": reason}
            message = f"invalid `{path[-1]}`: {plain_reason(reason)}"
        else:
            message = _reason(chain)
        return cls(
            namespace=json_values.text(data.get("namespace")),
            name=name,
            message=message or name,
            attributes=attributes,
            cause_name=json_values.text(chain[-1].get("name")) if len(chain) > 1 else None,
        )


def _causes(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return an error and its causes, the outermost first."""
    chain = [data]
    while len(chain) <= _MAX_CAUSES and (cause := json_values.mapping(chain[-1].get("cause"))):
        chain.append(cause)
    return chain


def _field_path(chain: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the path of the invalid field; empty if the error isn't about a field."""
    innermost = json_values.mapping(chain[-1].get("attributes"))
    if not {"field", "reason"} <= innermost.keys():
        return []
    fields = [json_values.mapping(level.get("attributes")).get("field") for level in chain]
    return [html.unescape(field) for field in fields if isinstance(field, str) and field]


def _reason(chain: Sequence[Mapping[str, Any]]) -> str:
    """Return the message of the innermost error that names something, else of the outermost.

    An outermost one like "invalid output" says nothing alone: the innermost is added.
    """
    naming = [level for level in chain if json_values.mapping(level.get("attributes"))]
    if naming:
        return _message(naming[-1])
    outermost, innermost = _message(chain[0]), _message(chain[-1])
    if len(chain) > 1 and _SAYS_NOTHING.fullmatch(outermost):
        return f"{outermost}: {innermost}"
    return outermost


def _message(level: Mapping[str, Any]) -> str:
    attributes = json_values.mapping(level.get("attributes"))
    template = message = json_values.text(level.get("message_format")) or ""
    for key, value in attributes.items():
        message = message.replace(f"{{{key}}}", str(value))
    if "error" in attributes and "{error}" not in template:
        message = f"{message}: {attributes['error']}"  # the system's own words
    # Servers from 3.36 on escape what comes from a request.
    return html.unescape(message)
