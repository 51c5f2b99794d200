"""Numbers that stand for "no value" with many end devices."""

# What counters of 16, 24 and 32 bits are when nothing was measured, as they are and in tenths,
# hundredths and thousandths, and what some drivers put there.
_LIMITS = (
    65535,
    65534,
    65536,
    32767,
    32768,
    -32768,
    -32767,
    16777215,
    8388607,
    4294967295,
    2147483647,
    -2147483648,
)
FULL_SCALE = frozenset({limit / part for limit in _LIMITS for part in (1, 10, 100, 1000)}) | {
    6550.9,
    4095.94,
    1023.98,
    -999,
    -9999,
    -99.9,
    -999.9,
    -99,
    999,
    9999,
    99999,
    282.9,
    -3276,
    3276,
    4095.9375,
    1023.984375,
}
ALWAYS_ABSENT = frozenset({-999, -9999, 65535, 32767, -32768, 4294967295, 2147483647, -2147483648})


def is_full_scale(number: float) -> bool:
    """Return whether a number is one that stands for "no value" with many end devices."""
    return number in FULL_SCALE
