"""Search for counter-examples to all property tests, for long: scripts/fuzz --minutes N."""

import argparse
import os
from pathlib import Path
import random
import subprocess
import sys
import time

from ..properties import FACTOR
from .memory import measure

_REPOSITORY = Path(__file__).parents[2]
_ROUND_SECONDS = 900


def arguments() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz",
        description="Run all property tests again and again, each time with another seed and more "
        "examples. What fails is printed with the seed and the smallest example, and is tried "
        "first at the next run. Exits with 1 after a failure.",
    )
    add = parser.add_argument
    add("--minutes", type=float, default=10, help="begin no round after so long (10)")
    add("--seed", type=int, help="repeat one round")
    add("--examples", type=int, default=5, help="so many times the examples of the suite (5)")
    add("--memory", action="store_true", help="measure memory after many messages instead")
    add("--messages", type=int, default=1_000_000, help="how many, with --memory (1,000,000)")
    add("paths", nargs="*", default=["tests"], help="tests to choose from (all)")
    return parser.parse_args()


def run_round(seed: int, examples: int, paths: list[str]) -> bool:
    """Run all property tests once; return whether they hold."""
    print(f"━━ seed {seed}: scripts/fuzz --seed {seed} repeats it", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-m", "hypothesis", "-p", "no:cacheprovider"]
    command += [f"--hypothesis-seed={seed}", f"--timeout={_ROUND_SECONDS}", "--show-capture=no"]
    environment = os.environ | {FACTOR: str(examples)}
    return (
        subprocess.run([*command, *paths], cwd=_REPOSITORY, env=environment, check=False).returncode
        == 0
    )


def main() -> int:
    """Do what was asked for; return the exit code."""
    asked = arguments()
    if asked.memory:
        return measure(asked.messages)
    end = time.monotonic() + 60 * asked.minutes
    seeds = [asked.seed] if asked.seed is not None else None
    good = True
    while True:
        seed = seeds[0] if seeds else random.randrange(2**32)
        good = run_round(seed, asked.examples, asked.paths) and good
        if seeds or not good or time.monotonic() > end:
            return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
