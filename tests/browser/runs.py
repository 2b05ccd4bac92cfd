"""Create the runs of the browser tests with the real logger, on the server of the settings.

`vision`: a sweep of 24 runs in four groups with curves, system metrics aside. `media`: one run of every kind of value.
`origin`: a run from a repository with uncommitted changes, with console, files and an alert. `hostile`: every text that
a user controls is a script. `spike`: a long series with one extreme point.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import tracker

BARS = {"layout": {"title": {"text": "bars"}}}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
QUIET = {"stats_disabled": True, "capture": [], "silent": True, "console": "off"}
"""Settings of runs whose machine and origin do not matter."""


def main() -> None:
    sync = tracker.Sync()
    for make in (vision, media, spike, hostile):
        for directory in make():
            sync.upload(directory)
    origin()


def offline(**options: Any) -> tracker.Run:
    return tracker.init(mode="offline", settings=QUIET, reinit="create_new", **options)


def ended(run: tracker.Run) -> Path:
    run.finish()
    return Path(run.dir)


def vision() -> list[Path]:
    made = []
    chance = random.Random(7)
    for i in range(24):
        lr = 10 ** (-1 - (i % 6) / 2)
        model = ("resnet", "vit", "mlp", "conv")[i // 6]
        config = {"lr": lr, "model": model, "batch_size": 32 * (1 + i % 3), "optimizer": {"name": "adam", "beta": 0.9}}
        run = offline(project="vision", id=f"v{i:02}", name=f"{model}-{i:02}", config=config, group=model)
        run.tags = ["base"] if i % 2 == 0 else ["sweep", "long"]
        for step in range(200):
            loss = math.exp(-step * lr * 3) + 0.05 * chance.random()
            row = {"train/loss": loss, "train/acc": 1 - loss / 2, "val/loss": loss * 1.1, "epoch": step // 20}
            run.log({**row, "grad_norm": chance.random(), "lr": lr})
        made.append(ended(run))
    return made


def media() -> list[Path]:
    run = offline(project="media", id="all", name="every kind of value")
    for step in range(4):
        pixels = [[[(x * 8 + step * 40) % 256, y * 8, 128] for x in range(32)] for y in range(32)]
        wave = [math.sin(i / (4 + step)) for i in range(4000)]
        run.log(
            {
                "weights": tracker.Histogram([math.sin(i) * (step + 1) for i in range(500)]),
                "sample": tracker.Image(pixels, caption=f"step {step}"),
                "sound": tracker.Audio(wave, sample_rate=8000),
                "report": tracker.Text(f"*all well* at {step}"),
                "page": tracker.Html(f"<h1>Hello {step}</h1><script>document.title = 'ran'</script>"),
                "figure": tracker.Plotly({**BARS, "data": [{"type": "bar", "y": [1, step, 3]}]}),
                "errors": tracker.Table(columns=["name", "score"], data=[["cat", 0.1 * step], ["dog", 0.5]]),
                "loss": float("nan") if step == 2 else 1 / (step + 1),
            }
        )
    return [ended(run)]


def spike() -> list[Path]:
    run = offline(project="spike", id="spike", name="one spike")
    for step in range(1_000_000):
        run.log({"value": 1000.0 if step == 618_034 else math.sin(step / 50_000)})
    return [ended(run)]


def hostile() -> list[Path]:
    made = []
    for id_ in ("h1", "h2"):
        run = offline(project="hostile", id=id_, name=HOSTILE, notes=HOSTILE, group=HOSTILE, job_type=HOSTILE)
        run.tags = [HOSTILE, "[x](javascript:alert(3))"]
        run.config.update({HOSTILE: HOSTILE, "link": "javascript:alert(4)"})
        run.summary[HOSTILE] = HOSTILE
        Path(f"{HOSTILE.replace('/', '_')}.md").write_text(f"{HOSTILE}\n\n[a](javascript:alert(5))\n")
        run.save(f"{HOSTILE.replace('/', '_')}.md".replace("[", "[[]"))
        page = "<script>alert(6)</script><img src=x onerror=alert(7)>"
        for step in range(5):
            table = tracker.Table(columns=[HOSTILE], data=[[HOSTILE]])
            run.log({HOSTILE: step, "html": tracker.Html(page), "text": tracker.Text(HOSTILE), "table": table})
        made.append(ended(run))
    return made


def origin() -> None:
    """Online, in a process of its own, as a script in a repository would be."""
    repository = Path("repository")
    repository.mkdir()
    (repository / "train.py").write_text(SCRIPT)
    (repository / "model.py").write_text("WIDTH = 10\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "A first model"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    (repository / "model.py").write_text("WIDTH = 20\n")
    (repository / "notes.txt").write_text("an untracked file\n")
    for id_, width in (("origin", "20"), ("wider", "40")):
        subprocess.run([sys.executable, "train.py", id_, width], cwd=repository, check=True)


SCRIPT = """
import sys
import time

import tracker

settings = {"stats_sample_interval": 0.2, "stats_average_over": 0.4, "finish_timeout": 60}
config = {"width": int(sys.argv[2]), "nested": {"depth": 3, "names": ["a", "b"]}}
with tracker.init(project="origin", id=sys.argv[1], name=sys.argv[1], config=config, settings=settings) as run:
    print("\\x1b[1;32mstarting\\x1b[0m with \\x1b[31mred\\x1b[0m text <script>alert(8)</script>")
    print("to stderr", file=sys.stderr)
    for step in range(40):
        run.log({"loss": 1 / (step + 1) + config["width"] / 1000})
        print(f"step {step}")
        time.sleep(0.05)
    open("result.json", "w").write('{"score": 0.9}')
    open("table.csv", "w").write("name,score\\ncat,0.5\\n")
    open("readme.md", "w").write("# A result\\n\\nIt *works*.\\n")
    for name in ("result.json", "table.csv", "readme.md"):
        run.save(name)
    run.alert("Nearly done", "The loss is low", level="warn")
"""

if __name__ == "__main__":
    main()
