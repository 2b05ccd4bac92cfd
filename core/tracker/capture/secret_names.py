"""Tell by a name, such as that of a variable, whether its value is a secret."""

from __future__ import annotations

_SECRET = ("password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "apikey", "accesskey")
_LAST = ("pwd", "auth", "authorization", "bearer", "signature", "sig", "cookie")  # secret as the last word of a name
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


def is_secret_name(name: str) -> bool:
    """Tell whether an argument, a variable or a member of this name is a secret."""
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
