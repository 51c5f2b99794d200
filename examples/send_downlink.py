"""Send a confirmed downlink and follow it: `send_downlink.py DEVICE F_PORT HEX`."""

import asyncio
from contextlib import aclosing
import sys
from uuid import uuid4

import aiohttp
from connect import connection

from thethingsstack import Downlink, DownlinkReport, Stack, StreamConnected

ENDS = {"ack", "nack", "failed"}


async def main(device_id: str, f_port: int, payload: bytes) -> None:
    """Queue the downlink once the stream is there, and print each report until it is decided.

    Raises StackError where the server refuses it.
    """
    tag = f"example:{uuid4()}"
    downlink = Downlink(f_port=f_port, payload=payload, confirmed=True, correlation_ids=(tag,))
    async with aiohttp.ClientSession() as session:
        stack = Stack(connection(), session=session)
        async with aclosing(stack.stream()) as items:
            async for item in items:
                match item:
                    case StreamConnected():
                        await stack.downlinks.push(device_id, [downlink])
                    case DownlinkReport() if tag in item.downlink_correlation_ids:
                        print(item.state, flush=True)
                        if item.state in ENDS:
                            return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.argv[3])))
