"""Measure the CPU time of a server process per logged point, with uploads over HTTP.

    python benchmarks/ingest.py [--batches 500] [--rows 100] [--keys 10] [--streams 4] [--zstd/--plain]

A real server runs in a process of its own on a new directory; this process posts batches over kept-alive connections.
Only the server's CPU time (user and system, all its threads) counts.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from pathlib import Path

import click
import psutil
import requests
import zstandard

from tracker.runlog.records import encode
from tracker_server import embedded

START = 1_700_000_000.0


def batches(run: str, count: int, rows: int, keys: int) -> list[bytes]:
    """Return lines as a training loop writes them: full-precision floats for `keys` names."""
    made = []
    for batch in range(count):
        lines = [] if batch else [encode("run", {"version": 1, "id": run, "entity": "me", "project": "bench"}, START)]
        for row in range(batch * rows, (batch + 1) * rows):
            values = {f"train/metric_{k}": math.sin(row * 0.37 + k) / (k + 1) for k in range(keys)}
            lines.append(encode("log", values, START + row * 0.05, row))
        made.append(b"".join(lines))
    return made


@click.command()
@click.option("--batches", "count", default=500, show_default=True)
@click.option("--rows", default=100, show_default=True)
@click.option("--keys", default=10, show_default=True)
@click.option("--streams", default=4, show_default=True, help="Runs that upload in turn.")
@click.option("--zstd/--plain", default=True)
def main(count: int, rows: int, keys: int, streams: int, zstd: bool) -> None:
    """Print CPU microseconds per point and the server's memory."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["XDG_STATE_HOME"] = directory
        with embedded.serve(Path(directory) / "data") as server:
            process = psutil.Process(server.process.pid)
            idle = process.memory_info().rss
            each = count // streams
            uploads = [batches(f"run{n}", each, rows, keys) for n in range(streams)]
            pack = zstandard.ZstdCompressor(level=3).compress
            bodies = [[pack(data) if zstd else data for data in run] for run in uploads]
            session = requests.Session()
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {server.token}"
            if zstd:
                session.headers["Content-Encoding"] = "zstd"
            offsets = [0] * streams
            warm = max(1, each // 10)
            for batch in range(each):
                if batch == warm:
                    before, began = process.cpu_times(), time.perf_counter()
                for n in range(streams):
                    url = f"{server.url}/api/runs/me/bench/run{n}/streams/history.jsonl?offset={offsets[n]}"
                    answer = session.post(url, data=bodies[n][batch])
                    answer.raise_for_status()
                    offsets[n] = answer.json()["offset"]
                    assert offsets[n] == sum(map(len, uploads[n][: batch + 1]))
            after, ended = process.cpu_times(), time.perf_counter()
            requests_made = (each - warm) * streams
            cpu = after.user + after.system - before.user - before.system
            points = requests_made * rows * keys
            click.echo(f"{requests_made} uploads of {rows} rows × {keys} keys, {'zstd' if zstd else 'plain'}")
            click.echo(
                f"server CPU   {cpu / points * 1e6:.3f} µs per point, {cpu / requests_made * 1e6:.0f} µs per upload"
            )
            click.echo(f"wall         {(ended - began) / requests_made * 1e3:.2f} ms per upload")
            click.echo(f"memory       {idle / 2**20:.0f} MiB idle, {process.memory_info().rss / 2**20:.0f} MiB after")


if __name__ == "__main__":
    main()
