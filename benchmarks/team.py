"""`team`: what rights cost: judging a request, and ingest with accounts beside ingest without."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tracker.client import Client
from tracker_server.access import accounts, api_keys, snapshot, teams
from tracker_server.access.audit_log import COMMAND_LINE
from tracker_server.access.database import AccessDatabase
from tracker_server.access.principal import Principal
from tracker_server.access.roles import may
from tracker_server.storage.sql import open_storage

from .measure import Options, median, scratch
from .report import Line
from .server import BATCH, KEYS, RUNS, fill
from .serving import served

GROUP = "team"
ACCOUNTS = 1_000
REQUESTS = 100_000
STEPS, ROUNDS = 4_000, 5


def run(options: Options) -> Iterator[Line]:
    """Judge requests with a thousand accounts, and fill a server with accounts and one without in turn."""
    requests = REQUESTS // 100 if options.quick else REQUESTS
    seconds = _judge(ACCOUNTS // 20 if options.quick else ACCOUNTS, requests)
    yield Line(
        GROUP,
        "tracker",
        "API key and `may`, a request",
        1e6 * seconds,
        "µs",
        f"{requests:,}, {ACCOUNTS:,} keys",
        None,
        5.0,
    )
    steps, rounds = (STEPS // 20, 1) if options.quick else (STEPS, options.repeat or ROUNDS)
    points = RUNS * steps * len(KEYS)
    with scratch() as directory:
        personal, team = directory / "personal", directory / "team"
        team.mkdir()
        key = _make_team(team / "server")
        with served(personal) as one, served(team) as other:
            other.client = Client(other.url, key)
            pairs = []
            for number in range(rounds):
                alone = fill(one, f"r{number}", KEYS, steps)[0]
                pairs.append((alone, fill(other, f"r{number}", KEYS, steps)[0]))
    n = f"{rounds} × {points:,} points in batches of {BATCH:,}, in turn"
    alone, together = (1e6 * median([pair[i] for pair in pairs]) / points for i in (0, 1))
    yield Line(GROUP, "personal mode", "ingest, server CPU a point", alone, "µs", n)
    ratio = median([there / here for here, there in pairs])
    yield Line(GROUP, "team mode", "ingest, server CPU a point", together, "µs", n, ratio, 1.03, of_ratio=True)


def _judge(count: int, requests: int) -> float:
    """Return the CPU seconds to look up an API key and ask `may`, for one request."""
    with tempfile.TemporaryDirectory() as directory:
        storage = open_storage(Path(directory))
        database = AccessDatabase(storage.engine)
        with database.changing() as connection:
            keys, some = [], [f"team{n}" for n in range(3)]
            for number in range(count):
                accounts.add(connection, COMMAND_LINE, f"person{number}", admin=number == 0, password="none")
                for team in some:
                    if number == 0:
                        teams.add(connection, COMMAND_LINE, team)
                    teams.set_member(connection, COMMAND_LINE, team, f"person{number}", "member")
                keys.append(api_keys.add(connection, COMMAND_LINE, f"person{number}", "bench", "log").key)
        with database.reading() as connection:
            rights = snapshot.load(connection)
        storage.close()
    now = time.time()
    shown = [keys[n % len(keys)] for n in range(requests)]
    began = time.process_time()
    for key in shown:
        principal = rights.key(key, now)
        if not (isinstance(principal, Principal) and may(principal, "log", "team1", rights.project("team1", "p"))):
            raise AssertionError("the key gives no access")
    return (time.process_time() - began) / requests


def _make_team(directory: Path) -> str:
    """Make a server's directory with an account and the team `bench`; return a key of the account."""
    storage = open_storage(directory)
    with AccessDatabase(storage.engine).changing() as connection:
        accounts.add(connection, COMMAND_LINE, "ada", admin=True, password="none")
        teams.add(connection, COMMAND_LINE, "bench")
        teams.set_member(connection, COMMAND_LINE, "bench", "ada", "member")
        key = api_keys.add(connection, COMMAND_LINE, "ada", "bench", "log").key
    storage.close()
    return key
