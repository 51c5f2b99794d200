"""The rule on fields that are true or false, by their value or at least by their name."""

import re

from .evidence import Evidence, Verdict
from .names import all_words
from .tokens import words_of
from .types import Category, Kind, Role
from .values import Shape, truth_of
from .vocabulary import (
    FLAG_RULES,
    INVERTED_WORDS,
    STRONG_FLAGS,
    SURE_FLAGS,
    Rule,
    holding,
    word_set,
)


def _first(rules: tuple[Rule, ...], evidence: Evidence) -> tuple[Rule, frozenset[str]] | None:
    """Return the first rule that holds, one about the field's own step before others."""
    if not (held := holding(rules, evidence.concepts)):
        return None
    leaf = evidence.leaf_concepts
    return next((pair for pair in held if pair[1] & leaf), held[0])


_OPENINGS = word_set("""
    open opened close closed offen geschlossen ouvert fermé abierto cerrado
""")
_LEVEL_FLAG = re.compile(r"[a-zA-Z0-9][LH](?=_flag)|(?<=flag)[LH]$|(?i:low|high)")
_COUNTING = word_set("count times number index rate total")


_BIT_FIELDS = word_set("""
    flags bits bitmap bitmask bitfield mask byte word register statuses alarms errors
""")


# Names of what says why or how: a state there is none of the end device.
_CAUSES = word_set("type code id trigger source")


def _is_bit_field(evidence: Evidence) -> bool:
    """Return whether a number stands for several truths at once, by its name."""
    words = all_words(evidence.keys)
    return bool(words) and words[-1].text.casefold() in _BIT_FIELDS


def flag(evidence: Evidence) -> Verdict | None:
    """Return that a field is true or false, where its value or at least its name says so."""
    leaf = evidence.leaf_concepts
    counting = _is_counted(evidence)
    if evidence.is_text and evidence.head in _CAUSES:
        return None
    if "test" in leaf:
        warns = evidence.zero_or_one and "alarm" in leaf and not counting
        return unknown_flag(evidence) if evidence.two_state or warns else None
    found = _first(FLAG_RULES, evidence)
    if not _may_be_flag(evidence, found, counting=counting):
        return None
    if found is None and evidence.zero_or_one and evidence.head in ("detect", "on", "off"):
        return unknown_flag(evidence)
    if found is None and evidence.among_flags and not evidence.two_state:
        return unknown_flag(evidence)
    if evidence.head == "flag" and not evidence.two_state:
        level = _LEVEL_FLAG.search(evidence.steps[-1])
        if level is not None:
            return Verdict(
                rule="flag of a limit",
                quantity="problem",
                used=frozenset({"flag"}),
                why=f"beyond a limit: {level[0]}",
            )
    if found is None or (counting and not evidence.two_state):
        return _by_value(evidence)
    rule, used = found
    if rule.name in ("opening", "valve") and leaf & _NO_OPENING:
        return unknown_flag(evidence)
    if not evidence.two_state and _says_too_little(evidence, rule, used):
        return None
    return Verdict(
        rule=f"flag {rule.text}",
        quantity=rule.name,
        used=used | {"status", "flag", "detect"},
        invert=_is_inverted(evidence, rule.name) ^ (rule.name in ("lock", "child_lock")),
        why="true or false",
    )


def _is_counted(evidence: Evidence) -> bool:
    """Return whether a name is that of a count or a level of something that is true or false."""
    leaf = evidence.leaf_concepts
    if evidence.is_text or "exceed" in leaf:
        return False
    if leaf & _COUNTING:
        return True
    levels = {"threshold", "level", "percent", "duration", "volume"}
    return evidence.head != "alarm" and bool(leaf & levels)


def _may_be_flag(
    evidence: Evidence, found: tuple[Rule, frozenset[str]] | None, *, counting: bool
) -> bool:
    """Return whether the values so far can be those of something true or false."""
    if evidence.reading.shape is Shape.NUMBER:
        if _is_bit_field(evidence):
            return False
        state = found is not None and not counting and _is_state(evidence, *found)
        if not evidence.zero_or_one and not state:
            return False
    if evidence.is_text:
        text = str(evidence.reading.value)
        return (
            found is not None
            and (truth_of(text) is not None or _speaks_of(text, *found))
            and not _has_more_states(evidence, found[0])
        )
    if evidence.two_state or (evidence.among_flags and found is None):
        return True
    if counting or (found is None and evidence.head not in ("flag", "detect", "on", "off")):
        return False
    return found is None or not (evidence.absent and _has_more_states(evidence, found[0]))


def _has_more_states(evidence: Evidence, rule: Rule) -> bool:
    """Return whether a movement likely has more than two: moving, still, started, ended."""
    return (
        rule.name in ("motion", "moving")
        and evidence.head == "status"
        and not evidence.letters.startswith("pir")
    )


def _by_value(evidence: Evidence) -> Verdict | None:
    """Return what a truth is whose name does not say of what."""
    if not evidence.two_state:
        return None
    opening = str(evidence.raw).strip().casefold() in _OPENINGS
    if opening and not evidence.leaf_concepts & {"relay", "digital"}:
        return Verdict(
            rule="word open",
            quantity="opening",
            used=frozenset({"status"}),
            why="a word for open or closed",
        )
    return unknown_flag(evidence)


def _says_too_little(evidence: Evidence, rule: Rule, used: frozenset[str]) -> bool:
    """Return whether a name could as well be that of a number."""
    if evidence.observed is not None and evidence.observed.both_zero_and_one:
        return False
    if rule.name in ("leak", "moisture") and used <= {"water", "moisture"}:
        return True
    if evidence.is_text or evidence.among_flags or evidence.head == "detect":
        return False
    return rule.name not in SURE_FLAGS or not (rule.name in STRONG_FLAGS or _headed(evidence, used))


# Things that are opened and closed without being an opening: circuits, commands.
_NO_OPENING = frozenset(["indicator", "manual", "command", "circuit", "button"])
# What a name says of itself so surely that any number but 0 means on; of the others a number
# alone may be a count or a code as well.
_SURE_STATES = word_set("leak tamper smoke fire door window condensation gas_detected")
_STATES = _SURE_STATES | word_set("motion moving occupancy presence alarm safety")


def _is_state(evidence: Evidence, rule: Rule, used: frozenset[str]) -> bool:
    """Return whether a field is a state by its name, so that any number but 0 means on."""
    observed = evidence.observed
    returns = observed is not None and observed.numbers > 1 and observed.low == 0
    return (
        (rule.name in _SURE_STATES or (rule.name in _STATES and returns))
        and evidence.head in used
        and evidence.unit is None
        and evidence.whole
        and evidence.low >= 0
        and (evidence.number or 0) <= 255
        and not (rule.name == "leak" and used <= {"water", "moisture"})
    )


def _speaks_of(text: str, rule: Rule, used: frozenset[str]) -> bool:
    """Return whether a text has the words of the state that it is a value of: "Small leak"."""
    return rule.name in _SURE_STATES and bool(used & set(words_of(text).concepts))


def _is_inverted(evidence: Evidence, quantity: str) -> bool:
    """Return whether the name is one of the opposite: "is closed", "parking free"."""
    words = evidence.name.texts
    return bool(words & INVERTED_WORDS.get(quantity, frozenset())) and (
        "open" not in evidence.concepts
    )


_OF_A_STATE = word_set("status flag event detect alarm open button limit closed contact") | {""}


def _headed(evidence: Evidence, used: frozenset[str]) -> bool:
    """Return whether the name's head is the flag, or a word for its state."""
    return (
        evidence.head in used
        or evidence.head in _OF_A_STATE
        or (evidence.leaf[:1] == ("alarm",) and not evidence.absent)
    )


def unknown_flag(evidence: Evidence) -> Verdict:
    """Return that a field is true or false, without saying of what."""
    diagnostic = evidence.concepts & {
        "status",
        "event",
        "config",
        "trigger",
        "reset",
        "valid",
        "led",
        "test",
    }
    return Verdict(
        rule="boolean",
        kind=Kind.BINARY_SENSOR,
        role=Role.FLAG,
        category=Category.DIAGNOSTIC
        if diagnostic and (evidence.reading.shape is Shape.BOOL or evidence.is_text)
        else None,
        enabled=False if evidence.letters == "valid" else None,  # of the message, not the device
        why="true or false, of what is not known",
    )
