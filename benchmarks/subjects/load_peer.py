"""Put runs into the store of a peer, with its own functions or with the rows that they would write.

    python load_peer.py tensorboard|trackio|mlflow DIRECTORY RUNS METRICS STEPS

It prints the ids of the runs. It runs in the peer's environment, so it imports only the standard library, the peer and
modules of this folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from datetime import datetime, timezone
from pathlib import Path

import curves

PROJECT = "first"


def tensorboard(directory: str, runs: int, metrics: int, steps: int) -> list[str]:
    from event_files import record
    from tensorboard.compat.proto.event_pb2 import Event

    keys, ids = curves.keys(metrics), []
    for number in range(runs):
        ids.append(f"run{number}")
        path = Path(directory, "runs", ids[-1], f"events.out.tfevents.{curves.START:.0f}.host")
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.write(record(Event(wall_time=curves.START, file_version="brain.Event:2").SerializeToString()))
            for step, (now, values) in enumerate(curves.rows(number, metrics, steps)):
                event = Event(wall_time=now, step=step)
                for key, value in zip(keys, values, strict=True):
                    event.summary.value.add(tag=key, simple_value=value)
                file.write(record(event.SerializeToString()))
    return ids


def trackio(directory: str, runs: int, metrics: int, steps: int) -> list[str]:
    os.environ["TRACKIO_DIR"] = directory
    from trackio.sqlite_storage import SQLiteStorage

    keys, ids = curves.keys(metrics), []
    for number in range(runs):
        logged = list(curves.rows(number, metrics, steps))
        times = [datetime.fromtimestamp(now, timezone.utc).isoformat() for now, _ in logged]
        rows = [dict(zip(keys, values, strict=True)) for _, values in logged]
        ids.append(f"run{number}")
        SQLiteStorage.bulk_log(PROJECT, f"run {number}", rows, timestamps=times, config={}, run_id=ids[-1])
    return ids


def mlflow(directory: str, runs: int, metrics: int, steps: int) -> list[str]:
    os.chdir(directory)
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{directory}/mlflow.db")
    experiment = client.create_experiment(PROJECT)
    ids = []
    for number in range(runs):
        start = int(1000 * (curves.START + 60 * number))
        ids.append(client.create_run(experiment, start, run_name=f"run {number}").info.run_id)
        client.set_terminated(ids[-1], end_time=start + 50 * steps)
    # log_batch takes 0.1 ms for each of these rows, and there are millions.
    keys = curves.keys(metrics)
    with sqlite3.connect("mlflow.db") as store:
        for number, run_id in enumerate(ids):
            rows = [
                (key, value, int(1000 * now), step, run_id)
                for step, (now, values) in enumerate(curves.rows(number, metrics, steps))
                for key, value in zip(keys, values, strict=True)
            ]
            into = "(key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)"
            store.executemany(f"INSERT INTO metrics {into}", rows)
            store.executemany(f"INSERT INTO latest_metrics {into}", rows[-metrics:])
    return ids


if __name__ == "__main__":
    name, directory, *counts = sys.argv[1:]
    load = {"tensorboard": tensorboard, "trackio": trackio, "mlflow": mlflow}[name]
    print(json.dumps(load(directory, *map(int, counts))))
