"""`tracker demo`: train a real small model three times and look at the runs on a real server."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

import tracker
from tracker.discovery import Server, find

from .tables import print_runs

_PROJECT = "demo-digits"
_RATES = (0.0003, 0.003, 0.03)
_EPOCHS = 30
_BATCH = 64


@click.command()
@click.option("--exit", "stop", is_flag=True, help="Stop after checking what arrived, instead of serving on.")
@click.option("--dir", "directory", type=click.Path(path_type=Path), help="Where the server keeps its data.")
def demo(stop: bool, directory: Path | None) -> None:
    """Train a small neural network on scikit-learn's digits with three learning rates, and show the runs."""
    try:
        import sklearn  # noqa: F401 - asked for before a server is started for nothing
    except ImportError:
        raise click.ClickException("the demo trains with scikit-learn: pip install 'tracker-runs[demo]'") from None
    process = None
    server = find() if directory is None else None
    if server is None:
        process, server = _start_server(directory)
    try:
        click.echo(f"Server: {server.url}/?token={server.token}\n")
        paths = [_train(server, rate) for rate in _RATES]
        _check(server, paths)
        if stop or process is None:
            return
        click.echo("\nServing until Ctrl-C; open the address above in a browser.")
        process.wait()
    except KeyboardInterrupt:
        click.echo("")
    finally:
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _start_server(directory: Path | None) -> tuple[subprocess.Popen[bytes], Server]:
    """Start `tracker server` on a free port and wait until it has published itself."""
    command = [sys.executable, "-m", "tracker.cli.main", "server", "--port", "0"]
    command += ["--dir", str(directory)] if directory is not None else []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        server = find()
        if server is not None and server.pid == process.pid:
            return process, server
        time.sleep(0.05)
    process.kill()
    raise click.ClickException("the server did not start; try `tracker server` to see why")


def _train(server: Server, rate: float) -> str:
    """Train one network and return the path of its run."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    images, labels = load_digits(return_X_y=True)
    x, x_val, y, y_val = train_test_split(images / 16.0, labels, test_size=0.25, random_state=0, stratify=labels)
    settings = {"base_url": server.url, "api_key": server.token, "silent": True, "reinit": "finish_previous"}
    config = {"learning_rate": rate, "hidden": 64, "batch_size": _BATCH, "epochs": _EPOCHS, "data": "sklearn digits"}
    with tracker.init(project=_PROJECT, job_type="train", tags=["demo"], config=config, settings=settings) as run:
        run.define_metric("val/accuracy", summary="max")
        model = MLPClassifier((64,), learning_rate_init=rate, random_state=0)
        for epoch in range(_EPOCHS):
            for start in range(0, len(x), _BATCH):
                model.partial_fit(x[start : start + _BATCH], y[start : start + _BATCH], classes=range(10))
                run.log({"loss": model.loss_, "epoch": epoch})
            run.log({"val/accuracy": model.score(x_val, y_val), "epoch": epoch}, commit=False)
        accuracy = model.score(x_val, y_val)
        run.log({"confidence": tracker.Histogram(model.predict_proba(x_val).max(axis=1))}, commit=False)
        click.echo(f"  {run.name:<24} learning rate {rate:<7} validation accuracy {accuracy:.3f}")
    return run.path


def _check(server: Server, paths: list[str]) -> None:
    """Wait until the runs have arrived whole, compare them with what was logged, and show the table."""
    api = tracker.Api(server.url, server.token)
    batches = -(-1347 // _BATCH)  # three quarters of the 1,797 digits
    expected = _EPOCHS * (batches + 1) + 1
    deadline = time.monotonic() + 60
    runs: list[Any] = []
    while time.monotonic() < deadline:
        try:
            runs = [api.run(path) for path in paths]
        except tracker.ServerError:
            runs = []
        if len(runs) == len(paths) and all(r.state == "finished" and r.info["rows"] == expected for r in runs):
            break
        time.sleep(0.1)
    else:
        state = ", ".join(f"{r.name}: {r.state}, {r.info['rows']} of {expected} rows" for r in runs) or "no runs"
        raise click.ClickException(f"the runs did not arrive within a minute ({state})")
    click.echo(f"\n{len(runs)} runs arrived, {expected} rows each, nothing lost.\n")
    print_runs(runs, f"{runs[0].entity}/{_PROJECT}")
