"""Test what agents capture of how a run was started: when, for which process, and without secrets."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

import tracker
from tests.core.capture.repositories import Work
from tests.waiting import PATIENCE, eventually
from tracker.agent import environment_capture
from tracker.agent.drain import Drain
from tracker.agent.service import Service
from tracker.runlog.directory import agent_alive, agent_came
from tracker.runlog.reader import read_stream, stream_paths
from tracker.runlog.records import encode

HOST = os.uname().nodename


@pytest.fixture(autouse=True)
def capturing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRACKER_CAPTURE")
    monkeypatch.setenv("TRACKER_STATS_DISABLED", "true")
    monkeypatch.setenv("TRACKER_UPLOAD_INTERVAL", "0.1")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository with one commit."""
    made = Work(tmp_path / "repository")
    made.commit(notes__txt="one\n")
    return made


def records(directory: Path, kind: str) -> list[Any]:
    """Return the payloads of all records of a kind, in order."""
    found = []
    for path in stream_paths(directory, "system"):
        for parsed in read_stream(path):
            found += [record.payload for record in parsed.records if record.kind == kind]
    return found


def described(directory: Path) -> list[str]:
    """Return the streams that have a description."""
    return [payload["stream"] for payload in records(directory, "environment")]


def left_alone(directory: Path) -> bool:
    """Tell whether an agent has come and gone."""
    return agent_came(str(directory), 0.0) and not agent_alive(str(directory))


# -- which process is described ---------------------------------------------------------------------------------------


class Log:
    """A run directory that the test writes, and agents that serve it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "files").mkdir(parents=True)
        with subprocess.Popen(["true"]) as process:
            process.wait()
        self._gone = process.pid

    def stream(self, name: str, opened: float, closed: float, **members: Any) -> None:
        """Add the stream of a process of this machine that ran from `opened` to `closed`."""
        about = {
            "version": 1,
            "id": "r",
            "entity": "me",
            "project": "p",
            "host": HOST,
            "pid": self._gone,
            "pid_start": 1,
        }
        header = {**about, "process": {"cwd": str(self.directory), "command": [name]}, **members}
        lines = [encode("run", header, opened), encode("finish", {"state": "finished"}, closed)]
        (self.directory / f"history-{name}.jsonl").write_bytes(b"".join(lines))

    def agent(self, **settings: Any) -> list[str]:
        """Do an agent's work; return the streams that are then described."""
        Service(self.directory, {"mode": "offline", "capture": ["command", "git"], **settings}, Drain()).run()
        return [name.removeprefix("history-").removesuffix(".jsonl") for name in described(self.directory)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "run")


def test_a_process_that_is_gone_before_its_agent_comes_is_described(log: Log) -> None:
    log.stream("a", 1.0, 1.01)
    assert log.agent() == ["a"]
    found = tracker.read_run(log.directory).environment
    assert (found["stream"], found["started"], found["command"]) == ("history-a.jsonl", 1.0, ["a"])


def test_of_processes_that_ran_together_one_is_described(log: Log) -> None:
    for rank in range(4):
        log.stream(f"rank{rank}", 1.0 + rank, 10.0 + rank)
    assert log.agent() == ["rank3"]


def test_a_later_agent_does_not_describe_a_process_again(log: Log) -> None:
    log.stream("a", 1.0, 9.0)
    assert log.agent() == ["a"]
    log.stream("late", 8.0, 12.0)
    assert log.agent() == ["a"]


def test_a_resumed_run_is_described_again_and_the_last_description_counts(log: Log) -> None:
    log.stream("a", 1.0, 2.0)
    assert log.agent() == ["a"]
    log.stream("b", 3.0, 4.0)
    assert log.agent() == ["a", "b"]
    assert tracker.read_run(log.directory).environment["command"] == ["b"]


def test_an_earlier_process_is_not_described_later(log: Log) -> None:
    log.stream("missed", 1.0, 2.0)
    log.stream("now", 3.0, 4.0)
    assert log.agent() == ["now"]
    assert log.agent() == ["now"]


def test_children_other_machines_and_processes_without_a_description_are_skipped(log: Log) -> None:
    log.stream("child", 1.0, 2.0, parent="history-x.jsonl")
    log.stream("elsewhere", 1.0, 2.0, host="another")
    log.stream("shell", 1.0, 2.0, process=None)
    assert log.agent() == []


def test_a_wrapper_is_described_until_its_program_describes_itself(log: Log) -> None:
    wrapper = {"process": {"command": ["wrapper"]}, "wraps": True}
    log.stream("wrapper", 1.0, 9.0, **wrapper)
    assert log.agent() == ["wrapper"]
    log.stream("program", 2.0, 8.0)
    assert log.agent() == ["wrapper", "program"]
    assert tracker.read_run(log.directory).environment["command"] == ["program"]
    log.stream("rank1", 2.5, 8.0)
    assert log.agent() == ["wrapper", "program"]


def test_a_process_before_a_wrapper_is_not_described_later(log: Log) -> None:
    log.stream("missed", 1.0, 2.0)
    log.stream("wrapper", 3.0, 4.0, process={"command": ["wrapper"]}, wraps=True)
    assert log.agent() == ["wrapper"]


def test_a_forged_directory_makes_the_agent_read_nothing_outside(log: Log, work: Work) -> None:
    log.stream("mine", 1.0, 2.0)
    log.stream("future", 9e9, 9e9, process={"cwd": str(work.root), "program": str(work.root / "notes.txt")})
    request = {"id": "x", "root": str(work.root), "globs": ["*"], "seal": "00" * 32}
    with (log.directory / "history-mine.jsonl").open("ab") as file:
        file.write(encode("code", request, 2.5))
    assert log.agent(capture=["git", "untracked"], save_code=True) == ["mine"]
    assert records(log.directory, "code") == [
        {"id": "x", "files": 0, "left_out": {"code": "the request is not from this user"}}
    ]
    assert records(log.directory, "file") == []


def test_a_hanging_git_does_not_delay_the_end_of_the_agent(
    log: Log, work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text("#!/bin/sh\nexec sleep 1000\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(environment_capture, "_LAST_SECONDS", 0.2)
    log.stream("a", 1.0, 2.0, process={"cwd": str(work.root), "command": ["a"]})
    assert log.agent(capture=["command", "host", "git"]) == ["a"]
    found = tracker.read_run(log.directory).environment
    assert found["left_out"] == {"git": "git took too long"}
    assert found["command"] == ["a"]
    assert found["memory"]


def test_an_unreadable_process_member_is_harmless(log: Log) -> None:
    log.stream("a", 1.0, 2.0, process={"cwd": 5, "path": "x", "command": {"a": 1}, "program": ["x"]})
    log.agent(capture=["packages", "git"])
    assert tracker.read_run(log.directory).state == "finished"


# -- real processes ---------------------------------------------------------------------------------------------------


def train(work: Work, code: str, *arguments: str, **variables: str) -> None:
    """Run a committed script of the repository."""
    work.write("train.py", code)
    work.commit()
    command = [sys.executable, "train.py", *arguments]
    subprocess.run(command, cwd=work.root, env={**os.environ, **variables}, check=True)


def test_a_run_of_milliseconds_has_its_environment_and_files_on_the_server(server: Any, work: Work) -> None:
    code = "import tracker\ntracker.init(id='short', project='p', save_code=True).finish()\n"
    work.write("notes.txt", "one\ntwo\n")
    work.commit()
    work.write("notes.txt", "three\n")
    work.write("new.yaml", "lr: 1\n")
    (work.root / "train.py").write_text(code)
    environment = {**os.environ, "OMP_NUM_THREADS": "3"}
    subprocess.run([sys.executable, "train.py", "--lr", "1"], cwd=work.root, env=environment, check=True)
    run = tracker.Api().run("me/p/short")
    found = run.environment
    assert found["command"][1:] == ["train.py", "--lr", "1"]
    assert found["git"] == {
        "root": str(work.root), "commit": work.git("rev-parse", "HEAD"), "branch": "main", "program": "train.py",
        "cwd": ".", "dirty": True,
    }  # fmt: skip
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert found["python"] == sys.version.split()[0]
    names = {"requirements.txt", "diff.patch", "untracked/new.yaml", "untracked/train.py", "code/train.py"}
    assert set(found["files"]) == names == {file.name for file in run.files()}
    kept = {file.name: file.download(work.root.parent / "back").read_bytes() for file in run.files()}
    assert b"+three" in kept["diff.patch"]
    assert kept["code/train.py"].decode() == code
    assert b"orjson==" in kept["requirements.txt"]
    local = tracker.read_run(work.root / ".tracker" / "runs" / "short")
    assert local.environment == found
    assert [r.id for r in tracker.Api().runs("p", {"environment.git.commit": found["git"]["commit"]})] == ["short"]


def test_ranks_of_one_machine_have_one_environment_while_they_run(work: Work) -> None:
    code = """
import sys, time, tracker
from pathlib import Path
run = tracker.init(id="ranks", mode="offline", settings={"capture": ["variables", "git", "diff"]})
def together():
    streams = len(list(Path(run.dir).glob("history-*")))
    return streams == 3 and any(b'"environment":' in p.read_bytes() for p in Path(run.dir).glob("system-*"))
for i in range(100_000):
    if together():
        break
    time.sleep(0.01)
"""
    work.write("train.py", code)
    work.commit()
    command = [sys.executable, "train.py"]
    ranks = [
        subprocess.Popen(command, cwd=work.root, env={**os.environ, "RANK": str(rank), "WORLD_SIZE": "3"})
        for rank in range(3)
    ]
    assert [rank.wait(PATIENCE) for rank in ranks] == [0, 0, 0]
    directory = work.root / ".tracker" / "runs" / "ranks"
    eventually(lambda: left_alone(directory))
    assert len(described(directory)) == 1
    assert tracker.read_run(directory).environment["variables"]["WORLD_SIZE"] == "3"


def test_a_resumed_run_has_the_environment_of_its_last_start(work: Work) -> None:
    code = "import tracker\ntracker.init(id='r', mode='offline', resume='allow', settings={'finish_timeout': 0})\n"
    directory = work.root / ".tracker" / "runs" / "r"
    train(work, code)
    eventually(lambda: left_alone(directory))
    first = tracker.read_run(directory).environment["git"]
    work.write("notes.txt", "changed\n")
    train(work, code + "# second\n")
    eventually(lambda: len(described(directory)) == 2 and left_alone(directory))
    second = tracker.read_run(directory).environment["git"]
    assert second["commit"] == work.git("rev-parse", "HEAD") != first["commit"]
    assert (first["dirty"], second["dirty"]) == (False, False)


RUN = [sys.executable, "-c", "from tracker.cli.run import run; run(prog_name='tracker run')"]


@pytest.mark.parametrize("joins", [True, False])
def test_under_the_run_command_the_program_is_described(work: Work, joins: bool) -> None:
    work.write("sub/train.py", "import tracker; tracker.init().log({'x': 1})\n" if joins else "print(1)\n")
    work.commit()
    environment = {**os.environ, "TRACKER_MODE": "offline", "TRACKER_RUN_ID": "r", "TRACKER_SAVE_CODE": "true"}
    command = [sys.executable, "-u", "sub/train.py", "--token", "secret-of-the-command"]
    subprocess.run([*RUN, "--", *command], cwd=work.root, env=environment, check=True)
    directory = work.root / ".tracker" / "runs" / "r"
    eventually(lambda: left_alone(directory))
    run = tracker.read_run(directory)
    assert run.environment["command"] == [*command[:-1], "***"]
    assert run.environment["git"]["program"] == "sub/train.py"
    assert set(run.environment["files"]) == {"requirements.txt", "code/sub/train.py"}
    assert len(described(directory)) in ((1, 2) if joins else (1,))
    assert b"secret-of-the-command" not in everything(directory)


def test_log_code_keeps_files_under_their_path_in_the_repository(work: Work) -> None:
    work.write("package/model.py", "model\n")
    work.write("package/conf.yaml", "a: 1\n")
    train(
        work,
        "import tracker\nrun = tracker.init(id='r', mode='offline', settings={'capture': ['git']})\n"
        "tracker.log_code()\nrun.log_code('package', ['*.yaml'])\n",
    )
    directory = work.root / ".tracker" / "runs" / "r"
    eventually(lambda: left_alone(directory))
    files = {file.name: file.download(work.root.parent / "back") for file in tracker.read_run(directory).files()}
    assert set(files) == {"code/train.py", "code/package/model.py", "code/package/conf.yaml"}
    assert files["code/package/model.py"].read_text() == "model\n"
    assert [payload["files"] for payload in records(directory, "code")] == [2, 1]


def test_disable_code_keeps_no_code(work: Work) -> None:
    code = "import tracker\nrun = tracker.init(id='r', mode='offline', save_code=True)\nrun.log_code()\n"
    work.write("new.py", "new\n")
    train(work, code + "open('notes.txt', 'w').write('changed')\n", TRACKER_DISABLE_CODE="true")
    directory = work.root / ".tracker" / "runs" / "r"
    eventually(lambda: described(directory) and left_alone(directory))
    run = tracker.read_run(directory)
    assert {file.name for file in run.files()} == {"requirements.txt"}
    assert "git" not in run.environment
    assert work.git("rev-parse", "HEAD").encode() not in b"".join(p.read_bytes() for p in directory.glob("*.jsonl"))


def test_nothing_is_captured_for_a_disabled_run() -> None:
    run = tracker.init(mode="disabled")
    run.log_code()
    run.finish()
    assert os.listdir() == []


def test_files_that_match_ignore_globs_stay_on_this_machine(server: Any, work: Work, tmp_path: Path) -> None:
    work.write(
        "train.py", "import tracker\ntracker.init(id='local', project='p', settings={'ignore_globs': ['*.patch']})\n"
    )
    work.commit()
    work.write("notes.txt", "a change that stays here\n")
    subprocess.run([sys.executable, "train.py"], cwd=work.root, check=True)
    run = tracker.Api().run("me/p/local")
    assert {file.name for file in run.files()} == {"requirements.txt"}
    assert (run.environment["files"], run.environment["local"]) == (["requirements.txt"], ["diff.patch"])
    kept = work.root / ".tracker" / "runs" / "local" / "local" / "diff.patch"
    assert b"+a change that stays here" in kept.read_bytes()


# -- secrets ----------------------------------------------------------------------------------------------------------

SECRETS = {
    "remote": "remote-password-5f1c",
    "flag": "flag-secret-77aa",
    "assignment": "assigned-secret-0b3d",
    "address": "address-password-91fe",
    "header": "bearer-secret-c4c4",
    "shape": "ghp_" + "Zz19" * 9,
    "variable": "variable-secret-value-e0",
    "allowed": "proxy-password-aa01",
    "dotenv": "dotenv-secret-3b3b",
    "key": "private-key-body-d00d",
    "tracked": "hf_" + "Qq28" * 9,
    "requirement": "index-password-7e7e",
}


def everything(directory: Path) -> bytes:
    """Return all bytes in a directory: of files, and of compressed values in databases."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found.append(content)
            if content.startswith(b"SQLite format 3\0"):
                found += unpacked(path)
    return b"\n".join(found)


def unpacked(path: Path) -> list[bytes]:
    found = []
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, bytes):
                        try:
                            found.append(zstandard.ZstdDecompressor().decompressobj().decompress(value))
                        except zstandard.ZstdError:
                            found.append(value)
    return found


def test_no_secret_reaches_the_run_directory_or_the_server(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fastapi", reason="the extra `server` is not installed")
    from tracker_server.embedded import serve

    site = tmp_path / "site" / "private_lib-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "METADATA").write_text("Name: private-lib\nVersion: 1.0\n\n")
    direct = {"url": f"https://me:{SECRETS['requirement']}@host/r.git", "vcs_info": {"vcs": "git", "commit_id": "ab"}}
    (site / "direct_url.json").write_text(json.dumps(direct))
    work.git("remote", "add", "origin", f"https://me:{SECRETS['remote']}@example.com/r.git")
    work.write(
        "train.py",
        "import tracker\nrun = tracker.init(id='s', project='p', save_code=True)\nrun.log_code(globs=['*'])\n",
    )
    work.write("conf.py", "a = 1\n")
    work.commit()
    work.write("conf.py", f"a = '{SECRETS['tracked']}'\n")
    work.write(".env", f"TOKEN={SECRETS['dotenv']}\n")
    work.write("deploy.pem", f"-----BEGIN PRIVATE KEY-----\n{SECRETS['key']}\n")
    work.write("run.sh", f"export TOKEN={SECRETS['variable']}\n")
    work.write("plain.txt", "visible-untracked\n")
    arguments = [
        "--api-key", SECRETS["flag"], f"--password={SECRETS['assignment']}", SECRETS["shape"], SECRETS["variable"],
        "--db", f"postgres://me:{SECRETS['address']}@db/x", "-H", f"Authorization: Bearer {SECRETS['header']}",
        "--name", "visible-argument",
    ]  # fmt: skip
    with serve(tmp_path / "data") as server:
        monkeypatch.setenv("TRACKER_BASE_URL", server.url)
        monkeypatch.setenv("TRACKER_API_KEY", server.token)
        monkeypatch.setenv("TRACKER_FINISH_TIMEOUT", str(PATIENCE))
        monkeypatch.setenv("TRACKER_DRAIN_TIMEOUT", str(PATIENCE))
        variables = {
            "MY_TOKEN": SECRETS["variable"],
            "XLA_FLAGS": f"--log=http://me:{SECRETS['allowed']}@host visible-variable",
            "PYTHONPATH": str(tmp_path / "site"),
            "TRACKER_CAPTURE_VARIABLES": "MY_TOKEN,TRACKER_API_KEY",
        }
        command = [sys.executable, "train.py", *arguments]
        subprocess.run(command, cwd=work.root, env={**os.environ, **variables}, check=True)
        run = tracker.Api().run("me/p/s")
        names = {file.name for file in run.files()}
        assert {name for name in names if name.startswith("untracked/")} == {"untracked/plain.txt"}
        answers = json.dumps(run.info).encode()
        token = server.token.encode()
    here = everything(work.root / ".tracker")
    there = everything(tmp_path / "data") + answers
    for place in (here, there):
        for plain in (b"visible-argument", b"visible-variable", b"visible-untracked", b"private-lib"):
            assert plain in place, "the search finds nothing, so it proves nothing"
        for name, secret in SECRETS.items():
            assert secret.encode() not in place, name
    assert token not in here
