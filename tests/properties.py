"""How many examples a property test looks at: few in the suite, many with `scripts/fuzz`."""

import os

from hypothesis import HealthCheck, settings, strategies as st

FACTOR = "PROPERTY_EXAMPLES_FACTOR"
"""The variable that multiplies the number of examples."""

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40))
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=20), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Whatever JSON can hold, and infinite numbers, which some writers put there."""


def thorough(examples: int) -> settings:
    """Return settings for a property that is looked at with so many examples in the suite.

    A busy machine is no reason to fail: there is no deadline.
    """
    return settings(
        max_examples=examples * int(os.environ.get(FACTOR, "1")),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
