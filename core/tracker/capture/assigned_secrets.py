"""Find secrets in a file by the names that they are assigned to: `password = "…"`, `aws_secret_access_key: …`.

In source code only values in quotes count; anything else is the name of something. Placeholders, and names of variables
in place of a value, are not secrets.
"""

from __future__ import annotations

import os
import re

from .secret_names import is_secret_name

_CODE = frozenset(
    ".py .pyi .pyx .ipynb .c .h .cc .cpp .cu .cuh .rs .go .jl .r .lua .java .js .ts .proto .md .rst".split()
)
_QUOTED = re.compile(
    r"""(?P<name>[A-Za-z_][\w.-]{2,60})\\?["']?\s*(?::|=|=>|:=)\s*\\?(["'])(?P<value>[^"'\\\n]{1,200})\\?\2"""
)
_BARE = re.compile(
    r"^[+ -]?\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.-]{2,60})\s*[:=]\s*(?P<value>[^\s\"'#]{1,200})\s*$", re.M
)
_HINTED = re.compile(r"(?im)^.*?(?:pass|pwd|secret|token|key|credential|auth|bearer|sig|cookie).*$")
_ADDRESS = re.compile(r"://[^\s/\"'<>{}$*@:]{1,60}:(?P<value>[^\s/\"'<>{}$*@]{1,100})@[\w.\[-]")
_PLACEHOLDER = re.compile(
    r"(?i)none|null|nil|true|false|str(ing)?|text|pass(word|wd)?|secret|token|(api[_-]?)?key|change[_-]?me|example|x+|\.+|"
    r"(your|my|the|some|insert|replace)[ _-].*|.*[<>{}$%*()\[\]].*|[A-Z][A-Z0-9]*_[A-Z0-9_]+|\.?/.*|-?[\d.]+"
)
_PLAIN = re.compile(r"(pass|pwd|secret|credential)")  # names whose value may be any word


def holds_assigned(text: str, path: str = "") -> bool:
    """Tell whether a text assigns a secret to a name. `path` tells code from configuration."""
    if "://" in text and any(_is_secret(found["value"], sure=True) for found in _ADDRESS.finditer(text)):
        return True
    text = "\n".join(_HINTED.findall(text))  # most lines name no secret
    patterns = (_QUOTED,) if os.path.splitext(path)[1].lower() in _CODE else (_QUOTED, _BARE)
    for pattern in patterns:
        for found in pattern.finditer(text):
            name = found["name"]
            if is_secret_name(name) and _is_secret(found["value"], sure=bool(_PLAIN.search(name.lower()))):
                return True
    return False


def _is_secret(value: str, sure: bool) -> bool:
    """Tell whether a value is a secret; unless `sure` that its name always has one, it must look random."""
    if _PLACEHOLDER.fullmatch(value):
        return False
    if sure:
        return " " not in value.strip()
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return len(value) >= 8 and " " not in value and mixed
