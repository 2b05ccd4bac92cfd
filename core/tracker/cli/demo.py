"""`tracker demo`: run the examples against a real server, and check that everything they logged arrived there."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click

import tracker
from tracker.api import LocalRun, RunReader
from tracker.discovery import Server, find
from tracker.machine.python_process import python

from .paths import PathArgument
from .tables import print_runs

_RATES = ("0.003", "0.03")
_UPLOAD_TIMEOUT = 60  # seconds for the upload of a run that has ended

_OUTPUT = "output.txt"

_INSTALLED = Path(__file__).with_name("examples")
_EXAMPLES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[3] / "examples"  # of a checkout


class _Example(NamedTuple):
    """A script and its imports; one of the alternatives in a tuple is enough."""

    script: str
    imports: tuple[tuple[str, ...], ...]

    def lacks(self) -> list[str]:
        """Return the packages to install before it can run."""
        return [
            {"sklearn": "scikit-learn"}.get(alternatives[0], alternatives[0])
            for alternatives in self.imports
            if not any(map(find_spec, alternatives))
        ]


_BACKENDS = ("jax", "torch", "tensorflow")
_ALL = (
    _Example("lightning_digits.py", (("lightning",), ("sklearn",))),
    _Example("keras_digits.py", (("keras",), _BACKENDS, ("sklearn",))),
)


@click.command()
@click.option("--exit", "stop", is_flag=True, help="Stop once the runs have arrived and are checked.")
@click.option("--dir", "directory", type=PathArgument(), help="Directory for the server's data.")
def demo(stop: bool, directory: Path | None) -> None:
    """Train the example scripts and show their runs.

    They train small networks with Lightning and Keras, whichever is installed, on a data set of handwritten digits.
    """
    examples = [example for example in _ALL if not example.lacks()]
    if not examples:
        commands = ", or ".join(map(_command, _ALL))
        raise click.ClickException(f"the demo trains with Lightning and Keras, and can run neither: {commands}")
    process = None
    server = find() if directory is None else None
    if server is None:
        process, server = _start_server(directory)
    try:
        click.echo(f"Server: {server.url}/?token={server.token}\n")
        with tempfile.TemporaryDirectory(prefix="tracker-demo-") as work:
            _check(server, _train(server, examples, Path(work)))
        for example in (e for e in _ALL if e not in examples):
            click.echo(f"\nLeft out: {example.script}. To add it: {_command(example)}")
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


def _command(example: _Example) -> str:
    return f"pip install {' '.join(example.lacks())}"


def _start_server(directory: Path | None) -> tuple[subprocess.Popen[bytes], Server]:
    """Start `tracker server` on a free port and wait until it has published itself."""
    command = [python(), "-m", "tracker_runs", "server", "--port", "0"]
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


def _train(server: Server, examples: list[_Example], work: Path) -> list[LocalRun]:
    """Run the examples side by side, each in a directory below `work`; return the runs that they made."""
    environment = os.environ | {
        "TRACKER_BASE_URL": server.url,
        "TRACKER_API_KEY": server.token,
        "TRACKER_MODE": "online",
        "TRACKER_DIR": ".",
        "TRACKER_FINISH_TIMEOUT": str(_UPLOAD_TIMEOUT),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),  # with such small models, threads cost the most time
        "KERAS_BACKEND": os.environ.get("KERAS_BACKEND") or next(filter(find_spec, _BACKENDS), ""),
    }
    started = [_start(example.script, work, environment) for example in examples]
    runs: list[LocalRun] = []
    try:
        for script, directory, process in started:
            status, output = process.wait(), (directory / _OUTPUT).read_text(errors="replace")
            if status != 0:
                raise click.ClickException(f"{script} ended with exit status {status}:\n{output[-4000:]}")
            for line in output.splitlines():
                if "test accuracy" in line:
                    click.echo(f"  {script:<20}  {line}")
            runs += map(tracker.read_run, directory.glob(".tracker/runs/*"))
    finally:
        for _, _, process in started:
            process.kill()
            process.wait()
    return sorted(runs, key=lambda run: run.info["created"])


def _start(script: str, work: Path, environment: dict[str, str]) -> tuple[str, Path, subprocess.Popen[bytes]]:
    directory = work / script
    directory.mkdir()
    with (directory / _OUTPUT).open("wb") as output:
        process = subprocess.Popen(
            [python(), _EXAMPLES / script, "--lr", *_RATES],
            cwd=directory,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return script, directory, process


def _check(server: Server, runs: list[LocalRun]) -> None:
    """Compare the runs on the server with their directories, and show the table."""
    api = tracker.Api(server.url, server.token)
    arrived = [api.run(run.path) for run in runs]
    for local, remote in zip(runs, arrived, strict=True):
        if remote.state != "finished" or _content(local) != _content(remote):
            raise click.ClickException(
                f"run {remote.path} did not arrive completely within {_UPLOAD_TIMEOUT} s: it is {remote.state}, "
                f"with {remote.info['rows']} of {local.info['rows']} rows"
            )
    rows = sum(run.info["rows"] for run in arrived)
    click.echo(f"\n{len(arrived)} runs arrived, all {rows:,} rows as they were logged.\n")
    print_runs(arrived, arrived[0].path.rpartition("/")[0])


def _content(run: RunReader) -> tuple[list[dict[str, Any]], set[tuple[str, str]]]:
    return list(run.scan_history()), {(file.name, file.digest) for file in run.files()}
