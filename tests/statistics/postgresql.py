"""A PostgreSQL server for the recorder, in a folder of its own that goes with the test run.

python -m tests.statistics.postgresql    fails where PostgreSQL is not installed
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import sys
import tempfile

from tests.statistics import database_server

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
        database_server.run([folder_of_programs / "initdb", "-D", data, *options], user)
        settings = ("-c", "listen_addresses=", "-c", "fsync=off", "-k", folder)
        url = f"postgresql://postgres@/{{}}?host={folder}"
        command: list[str | Path] = [folder_of_programs / "postgres", "-D", data, *settings]
        with database_server.running(command, url.format("postgres"), user):
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(url: str) -> Iterator[str]:
    """Create a database in the server of this address; yield its own address."""
    with database_server.database(url, owner="postgres") as address:
        yield address


if __name__ == "__main__":
    sys.exit(programs() is None)
