from __future__ import annotations

import pytest

from tracker.capture.redact import cut, cut_arguments, holds_secret, is_secret_file, secret_values
from tracker.capture.secret_names import is_secret_name

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
def test_names_of_secrets_are_recognized(name: str) -> None:
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
def test_secrets_in_arguments_are_cut_and_the_rest_stays(given: list[str], kept: list[str]) -> None:
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


def test_long_values_of_variables_with_secret_names_are_secrets_everywhere() -> None:
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
def test_secret_files_are_recognized_by_name(path: str) -> None:
    assert is_secret_file(path)


@pytest.mark.parametrize("path", "train.py env.py environment.yml keys.py tokenizer.json src/model.py token.py".split())
def test_other_files_are_not_secret_files(path: str) -> None:
    assert not is_secret_file(path)


@pytest.mark.parametrize(
    "content",
    [GITHUB, f"key = '{OPENAI}'", "AKIA" + "A1" * 8, "-----BEGIN OPENSSH PRIVATE KEY-----", "x known-secret-0 x"],
)
def test_content_with_a_secret_is_recognized(content: str) -> None:
    assert holds_secret(content.encode(), ["known-secret-0"])


@pytest.mark.parametrize(
    "content", ["risk-averse-and-some-more-words", "hf_model", "3a" * 20, "-----BEGIN CERTIFICATE"]
)
def test_other_content_holds_no_secret(content: str) -> None:
    assert not holds_secret(content.encode(), ["known-secret-0"])


MIXED = "aZ4kP9xQ2mT7vB1nC6wE"


@pytest.mark.parametrize(
    "shape",
    [
        f"gsk_{MIXED}{MIXED}", f"xai-{MIXED}{MIXED}", f"r8_{MIXED}{MIXED}", f"SG.{MIXED}.{MIXED}{MIXED}",
        f"ya29.{MIXED}",
        f"glsa_{MIXED}{MIXED[:12]}_1a2b3c4d", f"https://discord.com/api/webhooks/123456789012345678/{MIXED}{MIXED}",
        f"https://hooks.slack.com/services/T00000000/B00000000/{MIXED}", f"hf_{MIXED}{MIXED}", f"hvs.{MIXED}{MIXED}",
        f"github_pat_11ABCDEFG0{MIXED}_{MIXED}{MIXED}", f"eyJhbGciOiJI{MIXED}.eyJzdWIiOiIx{MIXED}.{MIXED}",
        f"nvapi-{MIXED}{MIXED}", f"pplx-{MIXED}{MIXED}", f"glpat-{MIXED}", f"123456789:AA{MIXED}{MIXED[:13]}",
    ],
)  # fmt: skip
def test_keys_of_many_issuers_are_recognized_by_their_shapes(shape: str) -> None:
    assert holds_secret(f"x = f({shape!r})\n".encode(), path="train.py")
    kept = cut_arguments(["train.py", "--note", f"see {shape}", shape])
    assert MIXED not in " ".join(kept)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("train.py", "password = 'hunter2'"),
        ("train.py", 'connect(user="me", password="correct-horse")'),
        ("diff.patch", "+    db_password = 'hunter2'"),
        ("train.py", "URL = 'postgres://u:p@h/db'"),
        ("train.py", f'aws_secret_access_key = "{MIXED}{MIXED}"'),
        ("train.ipynb", '"os.environ[\\"HF_TOKEN\\"] = \\"x\\"\\n", "password = \\"hunter2\\"\\n"'),
        ("conf.ini", f"aws_secret_access_key = {MIXED}{MIXED}"),
        ("conf.yaml", "db:\n  password: hunter2\n"),
        ("run.sh", f"export API_TOKEN={MIXED}"),
        ("conf.json", '{"secret": "s3cr3t", "lr": 1}'),
        ("main.tf", 'password = "hunter2"'),
        ("x.conf", "redis://default:p4ss@h:1"),
    ],
)
def test_a_value_assigned_to_the_name_of_a_secret_is_recognized(path: str, text: str) -> None:
    assert holds_secret(text.encode(), path=path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("train.py", "password = os.environ['DB_PASSWORD']"),
        ("train.py", "def connect(password: str = '', token=None): ..."),
        ("train.py", "token = tokenizer.eos_token"),
        ("train.py", "hf_token = args.hf_token"),
        ("train.py", 'eos_token = "</s>"; pad_token = "<pad>"'),
        ("train.py", 'parser.add_argument("--api-key", default="")'),
        ("train.py", 'API_KEY = os.getenv("OPENAI_API_KEY")'),
        ("data.json", '{"token": "hello", "max_tokens": 512, "key": "query"}'),
        ("conf.yaml", "wandb_api_key: ${oc.env:WANDB_API_KEY}\npassword: null\ntoken: 50256\nlr: 0.1"),
        ("conf.yaml", "tokenizer: gpt2\nn_tokens: 1024\nauthor: me"),
        ("README.md", "password = 'your-password'; postgres://<user>:<password>@host"),
        ("train.py", 'url = f"postgres://{user}:{password}@{host}"'),
    ],
)
def test_ordinary_code_and_configuration_hold_no_secret(path: str, text: str) -> None:
    assert not holds_secret(text.encode(), path=path)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("-p hunter2", "-p ***"),
        ("--pass X", "--pass ***"),
        ("--pw X", "--pw ***"),
        ("--passwd X", "--passwd ***"),
        ("-u me:X", "-u me:***"),
        ("--user me:X", "--user me:***"),
        ("--cookie session=X", "--cookie ***"),
        ("--cookie=X", "--cookie=***"),
        ("--pass=X --pw=X", "--pass=*** --pw=***"),
        ("-p 8080", "-p 8080"),
        ("-p 0.1", "-p 0.1"),
        ("-p 1e-4", "-p 1e-4"),
        ("-p config.yaml", "-p config.yaml"),
        ("-p data/train", "-p data/train"),
        ("-p digits", "-p digits"),
        ("-p --lr 1", "-p --lr 1"),
        ("--pass 2", "--pass 2"),
        ("-u 10", "-u 10"),
        ("-u train.py", "-u train.py"),
        ("-u host:8080", "-u host:8080"),
        ("-u http://host/x", "-u http://host/x"),
        ("--tokenizer gpt2 --max-tokens 512 --n-pass 3", "--tokenizer gpt2 --max-tokens 512 --n-pass 3"),
    ],
)
def test_options_that_often_take_passwords_are_cut_unless_the_value_is_no_password(given: str, kept: str) -> None:
    assert cut_arguments(["cmd", *given.split()]) == ["cmd", *kept.split()]


def test_a_header_with_a_secret_is_cut() -> None:
    for header in ("Authorization: Basic X", "Cookie: session=X", "X-Api-Key: X"):
        assert "X" not in cut_arguments(["curl", "--header", header])[-1].removeprefix("X-Api")


@pytest.mark.parametrize(
    "path",
    "terraform.tfvars a/prod.tfvars.json kubeconfig hf_token .vault-token .netrc .pgpass .npmrc id_rsa deploy_ed25519 "
    "terraform.tfstate.backup .bash_history .my.cnf vault_pass.txt .databrickscfg".split(),
)
def test_more_secret_files_are_recognized_by_name(path: str) -> None:
    assert is_secret_file(path)
