"""Print the uplinks of an application as they arrive: `follow_uplinks.py [COUNT]`."""

import asyncio
from contextlib import aclosing
import sys

import aiohttp
from connect import connection

from thethingsstack import Stack, StreamConnected, StreamLost, UplinkMessage


async def main(count: int | None) -> None:
    """Print uplinks until there were `count`; without it, until interrupted."""
    async with (
        aiohttp.ClientSession() as session,
        aclosing(Stack(connection(), session=session).stream()) as items,
    ):
        async for item in items:
            match item:
                case StreamConnected():
                    print("connected", file=sys.stderr, flush=True)
                case StreamLost():  # the stream connects anew by itself
                    print(f"lost: {item.error}", file=sys.stderr, flush=True)
                case UplinkMessage():
                    print(item.ids.device_id, item.f_port, item.decoded_payload, flush=True)
                    if count is not None and (count := count - 1) <= 0:
                        return


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else None))
