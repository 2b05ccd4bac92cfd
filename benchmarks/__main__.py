"""Run benchmarks: `python -m benchmarks [GROUP…] [OPTIONS]`; `--help` lists the options."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
from pathlib import Path

from . import peers
from .measure import Options
from .report import Line, table

GROUPS = {
    "logging": "calls",
    "startup": "startup",
    "console": "console",
    "delivery": "delivery",
    "server": "server",
    "team": "team",
    "table": "table",
    "dashboard": "dashboard",
    "lightning": "lightning",
    "keras": "keras",
    "tensorboard": "tensorboard",
}
"""For each group, the module in this folder whose `run(options)` yields its lines."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure; see benchmarks/README.md.")
    parser.add_argument(
        "groups", nargs="*", choices=[[], *GROUPS], metavar="GROUP", help=f"any of {', '.join(GROUPS)} (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="smoke run; its figures mean little")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each measurement, whose medians are shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the lines to FILE")
    parser.add_argument(
        "--peers", type=Path, default=peers.DEFAULT, metavar="DIR", help="the folder to install peers in"
    )
    parser.add_argument("--peer", action="append", choices=peers.PINS, help="only this peer; repeatable")
    parser.add_argument("--no-peers", action="store_true", help="measure only the floor and this library")
    arguments = parser.parse_args()
    others = [] if arguments.no_peers else peers.install(arguments.peers, arguments.peer)
    options = Options(quick=arguments.quick, peers=others, repeat=arguments.rounds)

    lines: list[Line] = []
    for group in arguments.groups or GROUPS:
        began = time.monotonic()
        lines += importlib.import_module(f".{GROUPS[group]}", __package__).run(options)
        print(f"{group}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print(table(lines))
    print(f"\n{machine()}")
    if arguments.json:
        found = {"machine": machine(), "quick": arguments.quick, "lines": [line.as_dict() for line in lines]}
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} CPUs, {platform.platform()}, Python {platform.python_version()}, load {load}"


if __name__ == "__main__":
    main()
