"""Test the output of commands for runs from someone else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tracker.runlog.records import encode

EVIL = "\x1b]0;owned\x07\x1b[2J[red]\u202eevil\r\n\x9b31mforged"


def make() -> Path:
    directory = Path(".tracker/runs/evil")
    directory.mkdir(parents=True)
    head = {"version": 1, "id": "evil", "entity": "me", "project": "p", "name": EVIL, "tags": [EVIL], "notes": EVIL}
    lines = [
        encode("run", head, 1.0),
        encode("config", {EVIL: EVIL}, 1.0),
        encode("log", {EVIL: 1.0}, 2.0, 0),
        encode(
            "environment", {"stream": "history.jsonl", "started": 1.0, "command": ["python", EVIL], "cwd": EVIL}, 2.0
        ),
    ]
    (directory / "history.jsonl").write_bytes(b"".join(lines))
    return directory


def call(*arguments: str) -> str:
    command = [sys.executable, "-m", "tracker.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


def test_control_characters_in_names_are_replaced() -> None:
    directory = make()
    for arguments in (
        ("runs", "--local"),
        ("runs", "--local", "--json"),
        ("restore", str(directory), "--dir", "out", "--without-git"),
        ("export", str(directory), "out.zip"),
        ("runs", EVIL.replace("\0", ""), "--local"),
        ("restore", EVIL),
        ("sync", EVIL),
    ):
        output = call(*arguments)
        assert output
        assert all(line.isprintable() for line in output.split("\n")), (arguments, output)


def test_json_output_keeps_the_exact_name() -> None:
    make()
    assert json.loads(call("runs", "--local", "--json"))["name"] == EVIL
