"""Changes to end devices in The Things Stack: register, edit, replace, delete, complete."""

from .delete import AfterDeletion, async_delete
from .partial_devices import PartialDevices
from .register import Registered, async_register

__all__ = ["AfterDeletion", "PartialDevices", "Registered", "async_delete", "async_register"]
