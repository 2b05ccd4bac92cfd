from __future__ import annotations

import pytest

from tracker.capture.redact import cut, cut_arguments, holds_secret, is_secret_file, is_secret_name, secret_values

GITHUB = "ghp_" + "a1B2" * 9
OPENAI = "sk-proj-" + "x1" * 20


@pytest.mark.parametrize(
    "name",
    """
    password --password DB_PASSWORD PGPASSWORD passwd secret AWS_SECRET_ACCESS_KEY client-secret token --token HF_TOKEN
    --hf-token github.token accessToken api_key --api-key apiKey APIKEY WANDB_API_KEY TRACKER_API_KEY openai_key
    private-key credentials Authorization --auth DB_PASS smtp_pass access_key_id X-Amz-Signature
    """.split(),
)
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    """
    lr --max-tokens max_token num_tokens --tokenizer pad_token eosToken --mask-token key --key-dim num_keys sort_key
    passes forward_pass n_pass author authors path keyboard monkey epoch secretary TOKENIZERS_PARALLELISM tokens
    SSH_AUTH_SOCK GPG_KEY token_dropout compass
    """.split(),
)
def test_names_of_parameters_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["train.py", "--api-key", "X"], ["train.py", "--api-key", "***"]),
        (["train.py", "--token=X", "--lr=1"], ["train.py", "--token=***", "--lr=1"]),
        (["train.py", "password=X Y", "+model.api_key=X"], ["train.py", "password=***", "+model.api_key=***"]),
        (["train.py", "--use-auth-token", "--lr", "1"], ["train.py", "--use-auth-token", "--lr", "1"]),
        (["train.py", "--max-tokens", "512"], ["train.py", "--max-tokens", "512"]),
        (["train.py", GITHUB, OPENAI], ["train.py", "***", "***"]),
        (["train.py", f"--hub={GITHUB}"], ["train.py", "--hub=***"]),
        (["train.py", "--db", "postgres://me:X@db/x"], ["train.py", "--db", "postgres://db/x"]),
        (["train.py", "https://h/x?access_token=X&b=1"], ["train.py", "https://h/x?access_token=***&b=1"]),
        (["-H", "Authorization: Bearer X"], ["-H", "Authorization: Bearer ***"]),
        (["--json", '{"api_key": "X Y", "lr": 1}'], ["--json", '{"api_key": ***, "lr": 1}']),
        (["bash", "-c", "export HF_TOKEN=X; python t.py"], ["bash", "-c", "export HF_TOKEN=***; python t.py"]),
        (["python", "-c", "init(api_key='X')"], ["python", "-c", "init(api_key=***)"]),
        (["train.py", "--message", "a known-secret-0 b"], ["train.py", "--message", "a *** b"]),
        (["train.py", "", "--", "-x", "ünï 🎉"], ["train.py", "", "--", "-x", "ünï 🎉"]),
    ],
)
def test_secrets_in_arguments_are_cut_and_all_else_stays(given: list[str], kept: list[str]) -> None:
    assert cut_arguments(given, ["known-secret-0"]) == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://user:X@host/a.git", "https://host/a.git"),
        (f"https://{GITHUB}@github.com/a/b", "https://github.com/a/b"),
        ("https://user:p@ss@host/a", "https://host/a"),
        ("ssh://git@host:22/a.git", "ssh://git@host:22/a.git"),
        ("ssh://git:X@host/a.git", "ssh://git@host/a.git"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://host/a@b.git", "https://host/a@b.git"),
    ],
)
def test_credentials_in_addresses_are_cut(given: str, kept: str) -> None:
    assert cut(given) == kept


def test_the_values_of_variables_with_secret_names_are_known_if_long_enough_to_be_no_chance() -> None:
    variables = {
        "HF_TOKEN": "t" * 12,
        "DB_PASSWORD": "changeme",
        "PATH": "/usr/bin:/usr/local/bin",
        "PWD": "/home/me/project",
        "A_SECRET": "s" * 20,
    }
    assert secret_values(variables) == ["s" * 20, "t" * 12]


@pytest.mark.parametrize(
    "path",
    ".env .env.local prod.env sub/.ENV key.pem server.key id_rsa id_ed25519.pub .netrc .pypirc credentials.json "
    "gcp-service-account.json home/.ssh/config .aws/config secrets.yaml .tracker/settings.toml kaggle.json".split(),
)
def test_files_that_keep_secrets_are_known_by_name(path: str) -> None:
    assert is_secret_file(path)


@pytest.mark.parametrize("path", "train.py env.py environment.yml keys.py tokenizer.json src/model.py token.py".split())
def test_other_files_are_not(path: str) -> None:
    assert not is_secret_file(path)


@pytest.mark.parametrize(
    "content",
    [GITHUB, f"key = '{OPENAI}'", "AKIA" + "A1" * 8, "-----BEGIN OPENSSH PRIVATE KEY-----", "x known-secret-0 x"],
)
def test_content_that_holds_a_secret_is_known(content: str) -> None:
    assert holds_secret(content.encode(), ["known-secret-0"])


@pytest.mark.parametrize(
    "content", ["risk-averse-and-some-more-words", "hf_model", "3a" * 20, "-----BEGIN CERTIFICATE"]
)
def test_other_content_does_not(content: str) -> None:
    assert not holds_secret(content.encode(), ["known-secret-0"])
