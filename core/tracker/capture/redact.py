"""Keep secrets out of what is captured: cut them from addresses, arguments and variables; leave out files with them.

A secret is recognized by its name (`--api-key X`), by its place (`https://user:X@host`), by the shape that its issuer
gives it (`ghp_…`), or because an environment variable with a secret's name has the same value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache

from .secret_names import is_secret_name

CUT = "***"
"""Replaces a secret."""

_SHAPES = (
    r"gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}|sk-[\w-]{20,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|xox[abeoprs]-[\w-]{10,}|[rs]k_live_\w{20,}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[\w-]{50,}|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{64}|dckr_pat_[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"
    r"|hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]+|discord(?:app)?\.com/api/webhooks/\d+/[\w-]+"
    r"|gsk_[A-Za-z0-9]{20,}|xai-[A-Za-z0-9]{20,}|r8_[A-Za-z0-9]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|ya29\.[\w-]{20,}"
    r"|gl(?:sa|c|rt|dt|ft|ptt|cbt|agent|oas)[_-][\w-]{20,}|nvapi-[\w-]{20,}|pplx-[A-Za-z0-9]{20,}|hvs\.[\w-]{20,}"
    r"|[rs]k_test_\w{20,}|whsec_[\w+/=]{20,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|\d{8,10}:AA[\w-]{33}"
)
_PRIVATE_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
_HINTS = (
    "pass pwd secret token key credential auth bearer sig :// ghp_ gho_ ghr_ ghs_ ghu_ github_pat_ glpat- hf_ sk- akia "
    "asia aiza xox k_live_ npm_ pypi- dapi dop_v1_ dckr_pat_ eyj hooks.slack cookie "
    "gsk_ xai- r8_ sg. ya29. discord glsa glc glrt gldt glft glptt glcbt glagent gloas nvapi- pplx- hvs. k_test_ "
    "whsec_ shp :aa"
).split()
"""Text without any of these, ignoring case, holds nothing that can be recognized as a secret."""

_SHORTEST = 12  # characters of a value that is searched for elsewhere; a shorter one may occur by chance
_FILES = """
.env .env.* *.env .envrc *.pem *.key *.p12 *.pfx *.ppk *.jks *.keystore *.kdbx *.ovpn *.gpg *.tfstate *.token token
id_rsa* id_dsa* id_ecdsa* id_ed25519* credentials credentials.* *credentials.json *service*account*.json secret secrets
secret.* secrets.* .netrc _netrc .pgpass .npmrc .pypirc .git-credentials .htpasswd .boto .s3cfg .dockercfg kaggle.json
*.tfvars *.tfvars.json *.tfstate.* .terraformrc terraform.rc kubeconfig kubeconfig.* *.kubeconfig *_token *-token
.vault-token .vault_pass* vault_pass* .my.cnf .mylogin.cnf .yarnrc.yml .databrickscfg .snowsql *_rsa *_dsa *_ecdsa
*_ed25519 *.p8 *.asc .*_history wallet.dat cookies.txt .condarc pip.conf .docker-config.json .age *.agekey
""".split()
_FOLDERS = frozenset(".ssh .aws .azure .gcloud .gnupg .kube .docker .tracker .git".split())


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """Return the values of variables that have the names of secrets, the longest first."""
    found = [
        value
        for name, value in variables.items()
        if len(value) >= _SHORTEST and name != "PWD" and _hinted(name) and is_secret_name(name)  # PWD: a directory
    ]
    return sorted(found, key=len, reverse=True)


def cut(text: str, known: Iterable[str] = ()) -> str:
    """Return the text without the secrets in it; `known` are values that are secrets anywhere."""
    for value in known:
        text = text.replace(value, CUT)
    if not _hinted(text):  # most trainings need not compile the patterns
        return text
    text = _shapes().sub(CUT, text)
    text = re.sub(r"([A-Za-z][\w+.-]*)://([^\s/\"']*)@", _without_user, text)
    pieces, at = [], 0
    # Names first, and values only where they matter: else `https:` would take the whole address as its value.
    for match in re.finditer(r"([A-Za-z_][\w.-]*)\\?[\"']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?", text, re.IGNORECASE):
        given = _value().match(text, match.end())
        if given is not None and match.start() >= at and is_secret_name(match[1]):
            pieces.append(text[at : match.end()] + CUT)
            at = given.end()
    return "".join(pieces) + text[at:]


def cut_arguments(arguments: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """Return the arguments of a command without the secrets in them."""
    result: list[str] = []
    expected: Callable[[str], str | None] | None = None  # cuts the next argument, if it is a value
    for argument in arguments:
        if expected is not None and not argument.startswith("--"):
            rest, expected = expected(argument), None
            if rest is not None:
                result.append(rest)
                continue
        name, equals, value = argument.partition("=")
        # Not in a sentence or an address: there a secret may end before the argument does.
        plain = all(c.isalnum() or c in "-_.+/~" for c in name)
        named = plain and _hinted(name) and is_secret_name(name)
        option = argument.startswith("-")
        expected = (_SHORT.get(argument) or (_all if named else None)) if option and not equals else None
        if equals and plain and option and name in _SHORT and (rest := _SHORT[name](value)) is not None:
            result.append(f"{name}={rest}")
        elif named and equals:
            result.append(f"{name}={CUT}")
        else:
            result.append(argument if expected is not None else cut(argument, known))
    return result


def _all(_value: str) -> str:
    return CUT


def _password(value: str) -> str | None:
    """Judge the value of `-p` and the like: a password, unless it is a number, a path, a list or a word."""
    number = re.fullmatch(r"[-+]?[\d.,:e-]+|(?i:true|false|none)", value)
    looks = any(c.isdigit() or not c.isalnum() for c in value) or (value.lower() != value != value.upper())
    return None if number or not looks or re.search(r"[/\\=\[{]|\.\w{1,5}$", value) else CUT


def _counted(value: str) -> str | None:
    """Judge the value of `--pass`: a password, unless it is a small number, which says how often."""
    return None if value.isdecimal() and len(value) < 4 else CUT


def _of_user(value: str) -> str | None:
    """Judge the value of `-u`: USER:PASSWORD, unless it is an address or a port."""
    user, colon, password = value.partition(":")
    return f"{user}:{CUT}" if colon and password and not password.isdecimal() and password[0] not in "/\\" else None


_SHORT: dict[str, Callable[[str], str | None]] = {
    "-p": _password, "-P": _password, "--pass": _counted, "--pw": _counted, "--passin": _counted, "--passout": _counted,
    "-u": _of_user, "--user": _of_user, "-U": _of_user, "--proxy-user": _of_user,
}  # fmt: skip
"""Options whose names do not decide, and the functions that cut their values; None means that it is no secret."""


def is_secret_file(path: str) -> bool:
    """Tell whether programs keep secrets in a file of this path, so that it is never captured."""
    *folders, name = path.lower().replace("\\", "/").split("/")
    return not _FOLDERS.isdisjoint(folders) or any(fnmatchcase(name, pattern) for pattern in _FILES)


def holds_secret(content: bytes, known: Iterable[str] = (), path: str = "") -> bool:
    """Tell whether a file's content holds a secret: the shape of a key, a secret assigned to a name, or one of `known`.

    `path` tells code, in which secrets are in quotes, from other files.
    """
    # Only agents need these, not training processes.
    from .assigned_secrets import holds_assigned
    from .key_shapes import holds_key

    if _key_shapes().search(content) or holds_key(content) or holds_assigned(content.decode("utf-8", "replace"), path):
        return True
    return any(value.encode("utf-8", "surrogateescape") in content for value in known)


def _hinted(text: str) -> bool:
    small = text.lower()
    return any(hint in small for hint in _HINTS)


def _without_user(match: re.Match[str]) -> str:
    scheme, user = match[1], match[2]
    # With ssh the name alone is no secret, and the address needs it: git@github.com.
    keeps = scheme.lower().endswith("ssh") and user.split(":")[0]
    return f"{scheme}://{keeps}@" if keeps else f"{scheme}://"


@cache
def _value() -> re.Pattern[str]:
    return re.compile(r"""\"[^"]*"|'[^']*'|\\"[^"\\]*\\"|[^\s"'\\,;&|}\])]+""")


@cache
def _shapes() -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{_SHAPES})")


@cache
def _key_shapes() -> re.Pattern[bytes]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{_SHAPES})|{_PRIVATE_KEY}".encode())
