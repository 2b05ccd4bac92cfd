"""`console`: the cost of `print` with and without capture of the console."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from .measure import SUBJECTS, TRACKER, Options, environment, median, scratch
from .report import Line

GROUP = "console"
CALLS = 20_000
ROUNDS = 5
MODES = {"write": "os.write, no run", "print": "print, no run", "off": "off", "wrap": "wrap", "redirect": "redirect"}

Figures = dict[str, float]


def run(options: Options) -> Iterator[Line]:
    """Compare the modes in alternating rounds, with output to a file and to a terminal."""
    calls = options.calls(TRACKER, CALLS)
    for where in ("file", "terminal"):
        found: dict[str, list[Figures]] = {mode: [] for mode in MODES}
        for _ in range(options.rounds(ROUNDS)):
            for mode, rounds in found.items():
                rounds.append(_measure(mode, calls, where == "terminal"))
        kinds = {"flushed_ns": f"print(…, flush=True) to a {where}", "buffered_ns": f"print(…) to a {where}"}
        for kind, what in kinds.items():
            for mode, rounds in found.items():
                ratios = [r[kind] / floor[kind] for r, floor in zip(rounds, found["print"], strict=True)]
                n = f"{len(rounds)} × {calls:,} calls"
                yield Line(GROUP, MODES[mode], what, median([r[kind] for r in rounds]), "ns", n, median(ratios))
        for kind, what, target in (("init_ms", "init", 50.0), ("finish_ms", "finish", None)):
            for mode in ("off", "wrap", "redirect"):
                values = [r[kind] for r in found[mode]]
                yield Line(
                    GROUP, mode, f"{what}, output to a {where}", median(values), "ms", str(len(values)), None, target
                )


def _measure(mode: str, calls: int, terminal: bool) -> Figures:
    with scratch() as directory:
        if terminal:
            master, slave = os.openpty()
            threading.Thread(target=_swallow, args=(master,), daemon=True).start()
        else:
            slave = os.open(directory / "out", os.O_WRONLY | os.O_CREAT)
        result = directory / "result"
        command = [sys.executable, str(SUBJECTS / "printing.py"), mode, str(directory), "--calls", str(calls)]
        shell = ["sh", "-c", f'exec "$@" 3> {result}', "sh", *command]
        subprocess.run(shell, stdout=slave, stderr=slave, env=environment(TRACKER, directory), check=True)
        os.close(slave)
        return _figures(result)


def _figures(result: Path) -> Figures:
    found: Figures = json.loads(result.read_text())
    return found


def _swallow(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:  # all other ends are closed
        os.close(master)
