"""What the `wheel` session runs with nothing but the installed wheel: log, upload to a real server, read back."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    home = Path(tempfile.mkdtemp())
    os.environ.update(HOME=str(home), XDG_STATE_HOME=str(home / "state"), XDG_CONFIG_HOME=str(home / "config"))
    os.chdir(home)
    import tracker
    import tracker_runs
    from tracker_server.embedded import serve

    assert tracker_runs is tracker

    where = Path(tracker.__file__).parent
    assert "site-packages" in str(where), f"imported from {where}, not from the wheel"
    for packaged in ("py.typed", "runlog/FORMAT.md", "cli/examples/keras_digits.py"):
        assert (where / packaged).is_file(), f"{packaged} is missing from the wheel"
    command = Path(sys.executable).with_name("tracker")
    assert "sync" in subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
    from tracker_server.routes.web import BUILT

    assert any(BUILT.glob("assets/*.js")), "the dashboard is missing from the wheel"
    from alembic.script import ScriptDirectory

    from tracker_server.storage import migrations
    from tracker_server.storage.database_file import SCHEMA_VERSION

    head = ScriptDirectory(str(migrations.HERE)).get_current_head()
    assert head == str(SCHEMA_VERSION), "the newest migration is missing from the wheel"
    with serve(home / "server") as server:
        settings = {"base_url": server.url, "api_key": server.token, "finish_timeout": 30.0}
        with tracker.init(project="smoke", settings=settings) as run:
            for i in range(100):
                run.log({"square": i * i})
        rows = list(tracker.Api(server.url, server.token).run(run.path).scan_history())
    assert [row["square"] for row in rows] == [i * i for i in range(100)]
    print(f"smoke test passed: {len(rows)} rows logged, uploaded and read back")


if __name__ == "__main__":
    main()
