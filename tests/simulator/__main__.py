"""Run the simulated stack until interrupted: `python -m tests.simulator`."""

import argparse
import asyncio
import json
from pathlib import Path
import signal
from typing import Any

from . import v2
from .simulator import Simulator

_ROLES = ("read", "control", "manage")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument(
        "--stack", choices=("v3", "v2"), default="v3", help="version of the stack; v3 by default"
    )
    parser.add_argument(
        "--broker",
        choices=("mosquitto", "rabbitmq"),
        default="mosquitto",
        help="which MQTT broker a v2 stack has",
    )
    parser.add_argument("--world", choices=("demo", "garden"), default="demo")
    parser.add_argument("--tenant", help="tenant of the applications, such as ttn; none by default")
    parser.add_argument(
        "--port", type=int, default=0, help="port of the cluster's (a v2 Handler's) HTTP API"
    )
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


def _report_v2(simulator: v2.Simulator) -> dict[str, Any]:
    return {
        "discovery": simulator.discovery_url,
        "handler": simulator.handler_url,
        "mqtt": f"{simulator.mqtt_host}:{simulator.mqtt_port}",
        "mqtts": f"{simulator.mqtt_host}:{simulator.mqtts_port}",
        "applications": {
            application_id: {
                "keys": {role: simulator.key(role, application_id) for role in ("default", "all")},
                "senders": [
                    {
                        "dev_id": device.device_id,
                        "dev_eui": device.dev_eui,
                        "description": device.description,
                    }
                    for device in application.devices.values()
                    if device.sample is not None and device.interval
                ],
            }
            for application_id, application in simulator.stack.applications.items()
        },
    }


def _print_v2(simulator: v2.Simulator, report: dict[str, Any]) -> None:
    print(f"Discovery        {report['discovery']}  TLS {simulator.https_discovery_url}")
    print(f"Handler          {report['handler']}  TLS {simulator.https_handler_url}")
    print(f"MQTT             {report['mqtt']}  TLS {report['mqtts']}  ({simulator.broker.kind})")
    for application_id, application in report["applications"].items():
        print(f"Application      {application_id}")
        for role, key in application["keys"].items():
            print(f"  {role:8}       {key}")
    print("Ctrl-C ends it.", flush=True)


async def _run_v2(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
    simulator = v2.Simulator(arguments.world, live=True, broker=arguments.broker)
    await simulator.start(port=arguments.port, mqtt_port=arguments.mqtt_port)
    try:
        if arguments.ca_file is not None:
            arguments.ca_file.write_text(simulator.ca_pem)
        report = _report_v2(simulator)
        if arguments.json:
            print(json.dumps(report), flush=True)
        else:
            _print_v2(simulator, report)
        await stop.wait()
    finally:
        await simulator.close()


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.stack == "v2":
        await _run_v2(arguments, stop)
    else:
        await _run_v3(arguments, stop)


async def _run_v3(arguments: argparse.Namespace, stop: asyncio.Event) -> None:
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
