"""List the end devices that have been silent: `list_silent_devices.py [HOURS]`."""

import asyncio
from datetime import UTC, datetime, timedelta
import sys

import aiohttp
from connect import connection

from thethingsstack import Stack


async def main(hours: float) -> None:
    """Print ID and time of the last uplink of each end device not heard for so many hours."""
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    async with aiohttp.ClientSession() as session:
        async for device in Stack(connection(), session=session).devices():
            last = device.last_seen_at
            if last is None or last < oldest:
                print(device.ids.device_id, last.isoformat() if last else "never")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 24))
