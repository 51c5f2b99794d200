"""What a sensor showed before Home Assistant was restarted, or before the entry was reloaded."""

from homeassistant.components.sensor import RestoreSensor, SensorExtraStoredData


async def async_restored_data(sensor: RestoreSensor) -> SensorExtraStoredData | None:
    """Return the last value and unit of a sensor; None if none are stored.

    After a reload these are what the sensor before has left, without the way by a dictionary that
    Home Assistant's own function takes: it counts where thousands of sensors are added.
    """
    stored = await sensor.async_get_last_extra_data()
    if stored is None or isinstance(stored, SensorExtraStoredData):
        return stored
    return SensorExtraStoredData.from_dict(stored.as_dict())
