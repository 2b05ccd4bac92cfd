"""List the installed distributions as a requirements file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from typing import Any

from .redact import cut

_NAME = re.compile(r"^Name:\s*(\S+)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^Version:\s*(\S+)\s*$", re.MULTILINE)


def requirements(path: Iterable[str]) -> str:
    """Return the distributions on a `sys.path` in the form that `pip install -r` reads: sorted, one per line.

    A distribution from a package index is `name==version`. Others are as the installer noted them (PEP 610):
    `name @ git+https://…@<commit>`, `name @ <address>#sha256=…`, `name @ file://…`, or `-e file://…` with the name
    behind it. Credentials in addresses are cut. Distributions that are damaged are left out.
    """
    found: dict[str, str] = {}
    for distribution in distributions(path=list(path)):
        try:
            name, line = _line(distribution)
        except (OSError, ValueError):
            continue
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), line)  # the first on the path is the one imported
    return "".join(found[name] + "\n" for name in sorted(found))


def _line(distribution: Distribution) -> tuple[str, str]:
    # Not `.metadata`, which parses the whole description: a second for the packages of a usual environment.
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    name, version = _NAME.search(head), _VERSION.search(head)
    if name is None or version is None:
        raise ValueError("no name or no version")
    noted = distribution.read_text("direct_url.json")
    direct = json.loads(noted) if noted else None
    if isinstance(direct, dict) and isinstance(direct.get("url"), str):
        return name[1], _direct(name[1], version[1], direct)
    return name[1], f"{name[1]}=={version[1]}"


def _direct(name: str, version: str, direct: dict[str, Any]) -> str:
    """Return the line of a distribution that came from an address, after PEP 610 and PEP 508."""
    url = cut(direct["url"])
    folder = direct.get("subdirectory")
    fragments = [f"subdirectory={folder}"] if folder else []
    vcs, archive = direct.get("vcs_info"), direct.get("archive_info")
    if isinstance(vcs, dict):
        url = f"{vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', '')}".rstrip("@")
    elif isinstance(archive, dict):
        hashes = archive.get("hashes")
        digest = f"sha256={hashes['sha256']}" if isinstance(hashes, dict) and "sha256" in hashes else None
        noted = digest or str(archive.get("hash") or "")
        fragments = [noted, *fragments] if noted else fragments
    elif isinstance(direct.get("dir_info"), dict) and direct["dir_info"].get("editable"):
        return f"-e {url}  # {name}=={version}"
    return f"{name} @ {url}" + ("#" + "&".join(fragments) if fragments else "")
