"""What the status sensor of an end device shows."""

from enum import StrEnum


class Status(StrEnum):
    """The status of an end device, as its status sensor shows it."""

    HALF_CREATED = "half_created"
    NEVER_JOINED = "never_joined"
    WAITING_FOR_FIRST_UPLINK = "waiting_for_first_uplink"
    WAITING_FOR_NEXT_UPLINK = "waiting_for_next_uplink"
    NOT_DECODED = "not_decoded"
    ACTIVE = "active"
    OVERDUE = "overdue"
    NOT_REGISTERED = "not_registered"
