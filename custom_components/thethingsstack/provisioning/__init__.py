"""Changes to end devices in The Things Stack: register, edit, replace, delete, complete."""

from .delete import AfterDeletion, async_delete
from .import_devices import (
    MAX_BYTES,
    async_check_devices,
    async_import_devices,
    async_read_devices,
    check_may_import,
    import_report,
)
from .partial_devices import PartialDevices
from .register import Registered, async_register

__all__ = [
    "MAX_BYTES",
    "AfterDeletion",
    "PartialDevices",
    "Registered",
    "async_check_devices",
    "async_delete",
    "async_import_devices",
    "async_read_devices",
    "async_register",
    "check_may_import",
    "import_report",
]
