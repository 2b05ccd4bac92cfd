from __future__ import annotations

from pathlib import Path

import pytest

from tracker_server.access.providers import BadProviders, TeamRole, read

WHOLE = """
passwords = false

[providers.campus]
label = "Campus"
issuer = "https://id.example.org/realms/lab"
client_id = "tracker"
client_secret_env = "CAMPUS_SECRET"
scopes = ["email"]
allowed_domains = ["Example.org", "@lab.example.org"]
create_accounts = true
groups_claim = "roles"

[providers.campus.groups]
"/vision" = { team = "vision", role = "member" }
"/heads" = [{ team = "vision", role = "admin" }, { team = "speech", role = "viewer" }]

[providers.other]
issuer = "http://localhost:9000"
client_id = "tracker"
client_secret = "hidden"
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "providers.toml"
    path.write_text(text)
    return path


def test_a_file_names_providers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_SECRET", "from the environment")
    found = read(_file(tmp_path, WHOLE))
    assert not found.passwords
    campus, other = found.by_name["campus"], found.by_name["other"]
    assert (campus.label, campus.client_secret, campus.groups_claim) == ("Campus", "from the environment", "roles")
    assert campus.scopes == ("openid", "email")
    assert campus.allowed_domains == {"example.org", "lab.example.org"}
    assert campus.create_accounts
    assert campus.groups == {
        "/vision": (TeamRole("vision", "member"),),
        "/heads": (TeamRole("vision", "admin"), TeamRole("speech", "viewer")),
    }
    assert (other.label, other.create_accounts, other.allowed_domains) == ("Other", False, frozenset())
    assert "hidden" not in repr(found)


BASE = '[providers.a]\nissuer = "https://a.example"\nclient_id = "t"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("passwords = false", "nobody could sign in"),
        ('passwords = "no"', "passwords must be true or false"),
        ("password = false", "unknown setting 'password'"),
        ("[providers]\nA = {}", "a provider's name has small letters"),
        ("[providers.manual]", "a provider's name has small letters"),
        ("[providers.a]", r"\[providers.a\] needs issuer"),
        ('[providers.a]\nissuer = "http://a.example"', "begins with https://"),
        ('[providers.a]\nissuer = "https://a.example"', "needs client_id"),
        (BASE + 'secret = "x"', "unknown setting 'secret'"),
        (BASE + "create_accounts = true", "needs allowed_domains"),
        (BASE + 'client_secret_env = "NOT_SET_HERE"', "NOT_SET_HERE is not set"),
        (BASE + 'client_secret = "a"\nclient_secret_env = "b"', "not both"),
        (BASE + 'groups = { g = { team = "x", role = "boss" } }', "roles are viewer, member, admin"),
        (BASE + 'scopes = "email"', "list of texts"),
        ('client_secret = "hidden', "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadProviders, match=reason) as raised:
        read(_file(tmp_path, text))
    assert "providers.toml" in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadProviders, match=r"cannot read .*nowhere\.toml: No such file"):
        read(tmp_path / "nowhere.toml")
