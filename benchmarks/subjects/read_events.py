"""Read all scalars of a log directory in one of several ways, and print the cost as JSON.

    python read_events.py floor|tracker|accumulator|tbparse|rust|rust-checked LOGDIR

CPU time is that of reading, without imports; for the Rust data server, that of the server, from its start to the last
response.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.subjects import event_files


def files(logdir: Path) -> list[Path]:
    return sorted(logdir.rglob("*tfevents*"))


def floor(logdir: Path) -> int:
    """Read the files and compute one checksum of each, without parsing events."""
    from google_crc32c import extend

    for path in files(logdir):
        checksum = 0
        with path.open("rb", buffering=0) as file:
            while data := file.read(1 << 20):
                checksum = extend(checksum, data)
    return 0


def tracker(logdir: Path) -> int:
    from tracker_tensorboard.reader import EventFile, Scalars

    return sum(
        len(item.values) for path in files(logdir) for item in EventFile(path).read() if isinstance(item, Scalars)
    )


def accumulator(logdir: Path) -> int:
    """Read with TensorBoard's reader in Python, keeping all points."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    count = 0
    for directory in sorted({path.parent for path in files(logdir)}):
        found = EventAccumulator(str(directory), size_guidance={"scalars": 0, "tensors": 0})
        found.Reload()
        tags = found.Tags()
        count += sum(len(found.Scalars(tag)) for tag in tags["scalars"])
        count += sum(len(found.Tensors(tag)) for tag in tags["tensors"])
    return count


def tbparse(logdir: Path) -> int:
    from tbparse import SummaryReader

    found = SummaryReader(str(logdir), event_types={"scalars", "tensors"}, extra_columns={"wall_time"})
    return len(found.scalars) + len(found.tensors)


def main() -> None:
    way, logdir = sys.argv[1], Path(sys.argv[2])
    if way.startswith("rust"):
        cpu, wall, count = rust(logdir, "--checksum" if way == "rust-checked" else "--no-checksum")
    else:
        read: Callable[[Path], int] = {
            "floor": floor,
            "tracker": tracker,
            "accumulator": accumulator,
            "tbparse": tbparse,
        }[way]
        with tempfile.TemporaryDirectory() as first:
            event_files.write(Path(first, "run", "tfevents"), event_files.torch_value, ["a"], 10)
            read(Path(first))  # import everything, including what the first event imports
        began, before = time.perf_counter(), time.process_time()
        count = read(logdir)
        cpu, wall = time.process_time() - before, time.perf_counter() - began
    print(json.dumps({"cpu_s": cpu, "wall_s": wall, "values": count}))


def rust(logdir: Path, checksum: str) -> tuple[float, float, int]:
    """Start the data server, wait until it has read everything, and read all points back as TensorBoard would."""
    import grpc
    import tensorboard_data_server
    from tensorboard.data import grpc_provider
    from tensorboard.data.proto import data_provider_pb2

    expected = json.loads((logdir / "expected.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        port_file = Path(scratch, "port")
        began = time.perf_counter()
        command = [tensorboard_data_server.server_binary(), "--logdir", str(logdir), "--reload", "once", checksum]
        command += ["--samples-per-plugin", "scalars=all", "--port", "0", "--port-file", str(port_file)]
        server = subprocess.Popen([*command, "--die-after-stdin"], stdin=subprocess.PIPE)
        try:
            while not (port_file.exists() and port_file.read_text().endswith("\n")):
                time.sleep(0.01)
            options = [("grpc.max_receive_message_length", 1 << 30)]
            channel = grpc.insecure_channel(f"localhost:{int(port_file.read_text())}", options=options)
            stub = grpc_provider.make_stub(channel)
            listing = data_provider_pb2.ListScalarsRequest(experiment_id="x")
            listing.plugin_filter.plugin_name = "scalars"
            while not _all_there(stub.ListScalars(listing), expected):
                time.sleep(0.05)
            count = 0
            for at in range(0, len(expected["runs"]), 50):  # single requests would wait about 40 ms each
                request = data_provider_pb2.ReadScalarsRequest(experiment_id="x")
                request.plugin_filter.plugin_name = "scalars"
                request.run_tag_filter.runs.names.extend(expected["runs"][at : at + 50])
                request.downsample.num_points = 1 << 30
                for answer in stub.ReadScalars(request).runs:
                    count += sum(len(tag.data.value) for tag in answer.tags)
            wall = time.perf_counter() - began
            return _cpu(server.pid), wall, count
        finally:
            server.kill()
            server.wait()


def _all_there(answer: object, expected: dict[str, object]) -> bool:
    """Return whether every tag of every run has its last step."""
    tags = [tag for run in answer.runs for tag in run.tags]  # type: ignore[attr-defined]
    return len(tags) == expected["series"] and all(tag.metadata.max_step == expected["last_step"] for tag in tags)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
