"""What the servers of databases for the recorder have in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
import subprocess
import tempfile
import time

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

TIMEOUT = 120
"""Seconds until a server that doesn't start fails the test."""


def run(command: Sequence[str | Path], user: str | None = None, given: str | None = None) -> None:
    """Run a program to its end, with `given` as its input; it must succeed."""
    done = subprocess.run(
        command, user=user, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(command: Sequence[str | Path], url: str, user: str | None = None) -> Iterator[None]:
    """Run a server until the end; it is used when a database of it answers."""
    engine = sa.create_engine(url)
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


@contextmanager
def database(url: str, *, owner: str, options: str = "") -> Iterator[str]:
    """Create a database in a server; yield its address.

    `url` is the server's, with `{}` for the name of a database; `owner` is one that it always has.
    """
    name = "home"
    engine = sa.create_engine(url.format(owner), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} {options}"))
    yield url.format(name)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))
    engine.dispose()
