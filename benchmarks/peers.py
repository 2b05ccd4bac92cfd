"""Install other trackers to compare with, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .measure import ROOT, Subject

DEFAULT = ROOT / ".nox" / "bench-peers"

# The share of calls for each, so that no measurement takes minutes.
PINS = {
    "wandb": ("0.31.0", 0.2),
    "trackio": ("0.43.0", 0.2),
    "tensorboardX": ("2.6.5", 0.1),
    "mlflow": ("3.17.2", 0.005),
    "aim": ("3.29.1", 0.05),
}


def install(directory: Path = DEFAULT, names: list[str] | None = None) -> list[Subject]:
    """Return the peers. Install missing ones into `directory`; leave out failing ones, and say so on stderr."""
    found = []
    for name in names if names is not None else list(PINS):
        version, scale = PINS[name]
        home = directory.absolute() / f"{name}-{version}"
        python = home / "bin" / "python"
        done = home / "installed"
        try:
            if not done.exists():
                print(f"installing {name} {version} in {home}", file=sys.stderr)
                subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
                pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
                subprocess.run([*pip, f"{name}=={version}"], check=True)
                done.touch()
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{name} {version} is left out: {error}", file=sys.stderr)
            continue
        found.append(Subject(name, str(python), f"{name} {version}", scale))
    return found
