"""Keep secrets out of what is captured: in addresses, arguments and variables they are cut, files with them left out.

A secret is known by the name it is given to (`--api-key X`), by where it stands (`https://user:X@host`), by the shape
that its issuer gives it (`ghp_…`), or because a variable of the environment with such a name holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache

CUT = "***"
"""Stands where a secret was."""

_SECRET = ("password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "apikey", "accesskey")
_LAST = ("pwd", "auth", "authorization", "bearer", "signature", "sig")  # secret as the last word of a name
_KEYS = frozenset(
    "access account api auth client comet deploy encryption hf license master neptune openai private secret service "
    "signing storage subscription wandb".split()
)
_PASSES = frozenset("admin database db ftp login mail mysql pg postgres proxy redis root smtp user".split())
_VOCABULARY = frozenset(
    "additional audio begin bos by cls decoder end eos extra first image label last mask max min n new next num pad "
    "per prompt sep special start stop target tool unk video".split()
)
"""Words before `token` that make it one of a language model."""

_SHAPES = (
    r"gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|hf_[A-Za-z0-9]{30,}|sk-[\w-]{20,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{35}|xox[abeoprs]-[\w-]{10,}|[rs]k_live_\w{20,}|npm_[A-Za-z0-9]{36}"
    r"|pypi-[\w-]{50,}|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{64}|dckr_pat_[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"
    r"|hooks\.slack\.com/services/[\w/]+"
)
_PRIVATE_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
_HINTS = (
    "pass pwd secret token key credential auth bearer sig :// ghp_ gho_ ghr_ ghs_ ghu_ github_pat_ glpat- hf_ sk- akia "
    "asia aiza xox k_live_ npm_ pypi- dapi dop_v1_ dckr_pat_ eyj hooks.slack"
).split()
"""Text without any of these, in small letters, holds nothing that could be known as a secret."""

_SHORTEST = 12  # characters of a variable's value that is looked for elsewhere; a shorter one may stand there by chance
_FILES = """
.env .env.* *.env .envrc *.pem *.key *.p12 *.pfx *.ppk *.jks *.keystore *.kdbx *.ovpn *.gpg *.tfstate *.token token
id_rsa* id_dsa* id_ecdsa* id_ed25519* credentials credentials.* *credentials.json *service*account*.json secret secrets
secret.* secrets.* .netrc _netrc .pgpass .npmrc .pypirc .git-credentials .htpasswd .boto .s3cfg .dockercfg kaggle.json
""".split()
_FOLDERS = frozenset(".ssh .aws .azure .gcloud .gnupg .kube .docker .tracker .git".split())


def is_secret_name(name: str) -> bool:
    """Tell whether what has this name (of an argument, a variable, a member) is a secret."""
    spaced = [
        f" {c}" if c.isupper() and before.islower() else c if c.isalnum() else " "
        for before, c in zip(" " + name, name, strict=False)
    ]
    words = "".join(spaced).lower().split()
    for at, word in enumerate(words):
        before, last = words[at - 1] if at else "", at == len(words) - 1
        if word.endswith(_SECRET) or (word in _LAST and last) or (word == "key" and before in _KEYS):
            return True
        if word == "pass" and before in _PASSES:
            return True
        if last and word.endswith("token") and (word.removesuffix("token") or before) not in _VOCABULARY:
            return True
    return False


def secret_values(variables: Mapping[str, str]) -> list[str]:
    """Return the values of those variables whose names say that they are secrets, the longest first."""
    found = [
        value
        for name, value in variables.items()
        if len(value) >= _SHORTEST and name != "PWD" and _hinted(name) and is_secret_name(name)  # a shell's directory
    ]
    return sorted(found, key=len, reverse=True)


def cut(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with the secrets in it cut; `known` are values that are secrets wherever they stand."""
    for value in known:
        text = text.replace(value, CUT)
    if not _hinted(text):  # spares most trainings the price of compiling patterns
        return text
    text = _shapes().sub(CUT, text)
    text = re.sub(r"([A-Za-z][\w+.-]*)://([^\s/\"']*)@", _without_user, text)
    pieces, at = [], 0
    # Names first and values only where they matter: else `https:` would take all of the address for its value.
    for match in re.finditer(r"([A-Za-z_][\w.-]*)\\?[\"']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?", text, re.IGNORECASE):
        given = _value().match(text, match.end())
        if given is not None and match.start() >= at and is_secret_name(match[1]):
            pieces.append(text[at : match.end()] + CUT)
            at = given.end()
    return "".join(pieces) + text[at:]


def cut_arguments(arguments: Iterable[str], known: Iterable[str] = ()) -> list[str]:
    """Return the arguments of a command with the secrets in them cut."""
    result: list[str] = []
    expected = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        # Not in a sentence or an address: there a secret may end before the argument does.
        plain = all(c.isalnum() or c in "-_.+/~" for c in name)
        named = plain and _hinted(name) and is_secret_name(name)
        if expected and not argument.startswith("--"):
            result.append(CUT)
            expected = False
            continue
        expected = named and not equals and argument.startswith("-")
        result.append(f"{name}={CUT}" if named and equals else argument if expected else cut(argument, known))
    return result


def is_secret_file(path: str) -> bool:
    """Tell whether a file of this path is one that programs keep secrets in, and is never to be captured."""
    *folders, name = path.lower().replace("\\", "/").split("/")
    return not _FOLDERS.isdisjoint(folders) or any(fnmatchcase(name, pattern) for pattern in _FILES)


def holds_secret(content: bytes, known: Iterable[str] = ()) -> bool:
    """Tell whether a file's content has something of the shape of a key in it, or one of the `known` secrets."""
    if _key_shapes().search(content):
        return True
    return any(value.encode("utf-8", "surrogateescape") in content for value in known)


def _hinted(text: str) -> bool:
    small = text.lower()
    return any(hint in small for hint in _HINTS)


def _without_user(match: re.Match[str]) -> str:
    scheme, user = match[1], match[2]
    # With ssh the name alone is no secret, and without it the address is none: git@github.com.
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
