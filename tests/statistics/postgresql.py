"""A PostgreSQL server for the recorder, in a folder of its own that goes with the test run.

python -m tests.statistics.postgresql    fails where PostgreSQL is not installed
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

TIMEOUT = 120
"""Seconds until a server that doesn't start fails the test."""
ROOT = 0


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, which Debian doesn't put on the path."""
    if found := [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]:
        return max(found, key=lambda path: int(path.parts[-3])).parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


@contextmanager
def server() -> Iterator[str]:
    """Run a server; yield the address of a database in it, with `{}` for its name."""
    folder_of_programs = programs()
    assert folder_of_programs is not None
    user = "postgres" if os.getuid() == ROOT else None  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="db-"))  # short, as the path of a socket must be
    try:
        if user is not None:
            shutil.chown(folder, user)
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        data = folder / "data"
        _run([folder_of_programs / "initdb", "-D", data, *options], user)
        settings = ("-c", "listen_addresses=", "-c", "fsync=off", "-k", folder)
        url = f"postgresql://postgres@/{{}}?host={folder}"
        with _running([folder_of_programs / "postgres", "-D", data, *settings], user, url):
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(url: str) -> Iterator[str]:
    """Create a database in the server of this address; yield its own address."""
    name = "home"
    engine = sa.create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield url.format(name)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))
    engine.dispose()


def _run(command: Sequence[str | Path], user: str | None) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(command: Sequence[str | Path], user: str | None, url: str) -> Iterator[None]:
    """Run a server until the end; it is used when it answers."""
    engine = sa.create_engine(url.format("postgres"))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, user=user, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + TIMEOUT
            while True:
                with suppress(OperationalError), engine.connect():
                    break
                log.seek(0)
                assert process.poll() is None, log.read().decode()
                assert time.monotonic() < deadline, log.read().decode()
                time.sleep(0.05)
            engine.dispose()
            yield
        finally:
            process.terminate()
            process.wait(TIMEOUT)


if __name__ == "__main__":
    sys.exit(programs() is None)
