"""Make the pictures of docs/images anew: real runs of examples/sweep_digits.py, looked at in Chromium.

python docs/screenshots.py [FOLDER]    (needs the extras server and demo, playwright and pillow)
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import tracker
from tracker_server.embedded import Embedded, serve

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "sweep_digits.py"
CHROMIUM = os.environ.get("TRACKER_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1440, "height": 900}
PROJECT = "/projects/ada/digits-sweep"


def view(**members: Any) -> str:
    return f"{PROJECT}?v={quote(json.dumps(members))}"


PARALLEL = {
    "id": "all",
    "section": "Charts",
    "kind": "parallel",
    "title": "what leads to few mistakes",
    "width": 2,
    "columns": [
        *(f"config.{name}" for name in ("lr", "width", "optimizer.name", "dropout")),
        *("summary.val/loss", "summary.val/accuracy"),
    ],
    "color": "summary.val/accuracy",
}
SCATTER = {
    "id": "scatter",
    "section": "Charts",
    "kind": "scatter",
    "title": "accuracy over learning rate",
    "x": "config.lr",
    "y": "summary.val/accuracy",
    "color": "config.optimizer.name",
    "logX": True,
    "pareto": "min-max",
}
CHOICES = {"panels": [PARALLEL, SCATTER], "closed": ["weights", "examples"]}
GROUPED = {"layout": "both", "group": {"by": ["config.optimizer.name", "config.width"]}}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else HERE / "images")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, serve(Path(work) / "server") as server:
        ids = train(server, Path(work))
        best = max(ids, key=lambda run: run[1])[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            shoot = camera(browser, server, folder)
            smooth = {"smoothing": {"kind": "ema", "weight": 0.9}}
            shoot("project", view(charts=smooth))
            shoot("project-dark", view(charts=smooth), theme="dark")
            shoot("choices", view(layout="charts", charts=CHOICES))
            shoot("groups", view(**GROUPED, charts={"band": "std", "limit": 8, **smooth}))
            shoot("run", f"/runs/ada/digits-sweep/{best}?tab=charts", theme="dark")
            shoot("console", f"/runs/ada/digits-sweep/{best}?tab=console")
            shoot("compare", f"{PROJECT}/compare?runs={','.join(run for run, _ in ids[:4])}")
            browser.close()


def train(server: Embedded, work: Path) -> list[tuple[str, float]]:
    """Train in a repository with a change that is not committed; return ids and accuracies."""
    repository = work / "digits"
    repository.mkdir()
    shutil.copy(EXAMPLE, repository / "sweep.py")
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "A random search"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    script = repository / "sweep.py"
    script.write_text(script.read_text().replace("BATCH = 64", "BATCH = 32"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    environment |= {"TRACKER_BASE_URL": server.url, "TRACKER_API_KEY": server.token, "TRACKER_ENTITY": "ada"}
    environment |= {"HOME": str(work)}
    subprocess.run([sys.executable, "sweep.py"], cwd=repository, env=environment, check=True, stdout=subprocess.DEVNULL)
    api = tracker.Api(server.url, server.token)
    return [(run.id, run.summary["val/accuracy"]) for run in api.runs("ada/digits-sweep", order="-created")]


def camera(browser: Browser, server: Embedded, folder: Path) -> Callable[..., None]:
    def shoot(name: str, path: str, theme: Any = "light") -> None:
        context = browser.new_context(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{server.url}/?token={server.token}")
        page.goto(server.url + path)
        settle(page)
        picture = Image.open(io.BytesIO(page.screenshot()))
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)
        context.close()

    return shoot


def settle(page: Page) -> None:
    """Wait until all on the screen is there, and stays so."""
    page.locator("main").wait_for()
    for _ in range(2):
        page.wait_for_timeout(700)
        page.wait_for_function(
            """() => !document.querySelector('[aria-busy=true], .mantine-Skeleton-root') &&
                [...document.querySelectorAll('section[aria-label^="Panel "]')].every((panel) =>
                    panel.getBoundingClientRect().top > innerHeight ||
                    panel.querySelector('canvas, img, table, [data-empty]'))"""
        )


if __name__ == "__main__":
    main()
