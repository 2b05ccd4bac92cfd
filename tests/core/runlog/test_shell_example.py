from __future__ import annotations

import math
import shutil
import subprocess
from pathlib import Path

import pytest

from tracker import read_run

SCRIPT = Path(__file__).parents[3] / "examples" / "log_from_shell.sh"
SHELLS = [shell for shell in ("sh", "dash", "bash", "ksh", "zsh") if shutil.which(shell)]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_run_logged_by_a_shell_script_is_read_exactly(shell: str, tmp_path: Path) -> None:
    directory = tmp_path / "from-shell"
    subprocess.run([shell, SCRIPT, directory, "7"], check=True)
    run = read_run(directory)
    assert (run.id, run.entity, run.project, run.name) == ("from-shell", "shell", "examples", "from-the-shell")
    assert (run.state, run.config) == ("finished", {"language": "sh", "rows": 7})
    rows = list(run.scan_history())
    assert [(r["_step"], r["square"], r["half"]) for r in rows[:-1]] == [(i, i * i, i / 2) for i in range(7)]
    assert math.isnan(rows[-1]["diverged"])
    assert run.info["corrupt"] == run.info["lost"] == 0


def test_the_script_refuses_to_write_a_stream_a_second_time(tmp_path: Path) -> None:
    subprocess.run(["sh", SCRIPT, tmp_path / "r", "1"], check=True)
    again = subprocess.run(["sh", SCRIPT, tmp_path / "r", "1"], capture_output=True, text=True)
    assert again.returncode == 1
    assert "one writer" in again.stderr
