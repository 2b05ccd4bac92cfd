from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tracker.capture.packages import requirements


def install(site: Path, name: str, release: str, direct: dict[str, Any] | None = None) -> None:
    """Write what an installer leaves of a distribution."""
    folder = site / f"{name.replace('-', '_')}-{release}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n\nName: not this\n")
    if direct is not None:
        (folder / "direct_url.json").write_text(json.dumps(direct))


@pytest.mark.extras
def test_every_distribution_of_this_interpreter_is_listed_once_with_its_version_sorted() -> None:
    lines = requirements(sys.path).splitlines()
    assert f"orjson=={version('orjson')}" in lines
    names = [line.removeprefix("-e ") for line in lines if "==" in line and not line.startswith("-e ")]
    assert names == sorted(names, key=lambda name: name.split("==")[0].replace("_", "-").replace(".", "-").lower())
    assert len(set(lines)) == len(lines)


@pytest.mark.parametrize(
    ("direct", "line"),
    [
        (None, "my-lib==1.0"),
        (
            {"url": "https://me:pw@host/r.git", "vcs_info": {"vcs": "git", "commit_id": "ab12"}, "subdirectory": "lib"},
            "my-lib @ git+https://host/r.git@ab12#subdirectory=lib",
        ),
        (
            {"url": "https://host/a.whl", "archive_info": {"hashes": {"sha256": "ff"}}},
            "my-lib @ https://host/a.whl#sha256=ff",
        ),
        ({"url": "https://host/a.whl", "archive_info": {"hash": "sha256=ee"}}, "my-lib @ https://host/a.whl#sha256=ee"),
        ({"url": "file:///src/lib", "dir_info": {}}, "my-lib @ file:///src/lib"),
        ({"url": "file:///src/lib", "dir_info": {"editable": True}}, "-e file:///src/lib  # my-lib==1.0"),
    ],
)
def test_packages_that_are_not_from_an_index_are_listed_by_address(
    direct: dict[str, Any] | None, line: str, tmp_path: Path
) -> None:
    install(tmp_path, "my-lib", "1.0", direct)
    assert requirements([str(tmp_path)]) == line + "\n"


def test_of_two_versions_the_imported_one_counts(tmp_path: Path) -> None:
    install(tmp_path / "first", "My.Lib", "2.0")
    install(tmp_path / "second", "my-lib", "1.0")
    assert requirements([str(tmp_path / "first"), str(tmp_path / "second"), "/missing"]) == "My.Lib==2.0\n"


def test_damaged_distributions_are_left_out(tmp_path: Path) -> None:
    install(tmp_path, "sound", "1.0")
    install(tmp_path, "odd", "1.0", {"url": "x"})
    (tmp_path / "odd-1.0.dist-info" / "direct_url.json").write_text("{")
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "bytes-1.0.dist-info").mkdir()
    (tmp_path / "bytes-1.0.dist-info" / "METADATA").write_bytes(b"Name: \xff\xfe\n")
    assert requirements([str(tmp_path)]) == "sound==1.0\n"


def test_pip_can_read_the_requirements(tmp_path: Path) -> None:
    pytest.importorskip("pip")
    (tmp_path / "requirements.txt").write_text(requirements(sys.path))
    code = f"""
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements
print(len(list(parse_requirements({str(tmp_path / "requirements.txt")!r}, PipSession()))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(requirements(sys.path).splitlines())
