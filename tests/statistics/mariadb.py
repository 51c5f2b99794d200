"""A MariaDB server for the recorder, in a folder of its own that goes with the test run.

python -m tests.statistics.mariadb    fails where MariaDB is not installed
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import socket
import sys
import tempfile

from pymysql import converters
from pytest_homeassistant_custom_component.patch_time import HAFakeDatetime

from tests.statistics import database_server

TABLES = Path("/usr/share/mysql")
HOST = "127.0.0.1"
ROOT = 0


def program() -> str | None:
    """Return MariaDB's server, which Debian doesn't put on everybody's path."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    return found if found and _tables() else None


def _tables() -> list[Path]:
    """Return the statements that make the server's own tables, in order."""
    wanted = ("system_tables.sql", "performance_tables.sql", "system_tables_data.sql")
    found = [next(iter(sorted(TABLES.glob(f"m*_{name}"))), None) for name in wanted]
    return [path for path in found if path is not None] if all(found) else []


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yield the address of a database in it, with `{}` for its name."""
    executable = program()
    assert executable is not None
    folder = Path(tempfile.mkdtemp(prefix="db-"))  # short, as the path of a socket must be
    data = folder / "data"
    data.mkdir()
    command = [executable, "--no-defaults", f"--datadir={data}", "--innodb-buffer-pool-size=32M"]
    if os.getuid() == ROOT:
        command.append("--user=root")  # otherwise it refuses
    statements = ["CREATE DATABASE mysql;", "USE mysql;"]
    statements += [path.read_text() for path in _tables()]
    try:
        database_server.run([*command, "--bootstrap"], given="\n".join(statements))
        command += [
            *(f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"),
            *(f"--bind-address={HOST}", f"--port={(port := _free_port())}"),
            *("--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0"),
        ]
        # Not by its socket file: tests may use the loopback address alone.
        url = f"mysql+pymysql://root@{HOST}:{port}/{{}}?charset=utf8mb4"
        with database_server.running(command, url.format("mysql")):
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(url: str) -> Iterator[str]:
    """Create a database in the server of this address; yield its own address."""
    # The driver goes by the type alone, and knows no datetime of a frozen time.
    converters.conversions[HAFakeDatetime] = converters.escape_datetime
    options = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
    with database_server.database(url, owner="mysql", options=options) as address:
        yield address


if __name__ == "__main__":
    sys.exit(program() is None)
