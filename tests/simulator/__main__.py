"""Run the simulated stack until interrupted: `python -m tests.simulator`."""

import argparse
import asyncio
import json
from pathlib import Path
import signal
from typing import Any

from .simulator import Simulator

_ROLES = ("read", "control", "manage")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--world", choices=("demo", "garden"), default="demo")
    parser.add_argument("--tenant", help="tenant of the applications, such as ttn; none by default")
    parser.add_argument("--port", type=int, default=0, help="port of the cluster's HTTP API")
    parser.add_argument("--mqtt-port", type=int, default=0, help="port of MQTT without TLS")
    parser.add_argument(
        "--single-host", action="store_true", help="Identity Server at the cluster's address"
    )
    parser.add_argument("--ca-file", type=Path, help="write the private CA's certificate here")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    return parser.parse_args()


def _report(simulator: Simulator) -> dict[str, Any]:
    return {
        "server": simulator.server_url,
        "identity_server": simulator.identity_server_url,
        "mqtt": f"{simulator.mqtt_host}:{simulator.mqtt_port}",
        "mqtts": f"{simulator.mqtt_host}:{simulator.mqtts_port}",
        "applications": {
            application_id: {
                "keys": {role: simulator.application_key(application_id, role) for role in _ROLES}
            }
            for application_id in simulator.stack.applications
        },
    }


def _print(simulator: Simulator, report: dict[str, Any]) -> None:
    print(f"Cluster          {report['server']}  TLS {simulator.https_server_url}")
    print(
        f"Identity Server  {report['identity_server']}  TLS {simulator.https_identity_server_url}"
    )
    print(f"MQTT             {report['mqtt']}  TLS {report['mqtts']}")
    for application_id, application in report["applications"].items():
        print(f"Application      {simulator.stack.uid(application_id)}")
        for role, key in application["keys"].items():
            print(f"  {role:8}       {key}")
    print(f"User key         {simulator.key('user')}")
    print("Ctrl-C ends it.", flush=True)


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    simulator = Simulator(
        arguments.world, arguments.tenant, live=True, single_host=arguments.single_host
    )
    await simulator.start(port=arguments.port, mqtt_port=arguments.mqtt_port)
    try:
        if arguments.ca_file is not None:
            arguments.ca_file.write_text(simulator.ca_pem)
        report = _report(simulator)
        if arguments.json:
            print(json.dumps(report), flush=True)
        else:
            _print(simulator, report)
        await stop.wait()
    finally:
        await simulator.close()


asyncio.run(_run(_arguments()))
