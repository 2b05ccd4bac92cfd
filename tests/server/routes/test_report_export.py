from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import struct
import time
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tracker.runlog.records import encode
from tracker_server.routes import report_export

REPORTS = "/api/projects/me/digits/reports"
HOSTILE = "=</title></svg></style><script>alert(1)</script><img src=x onerror=alert(1)>\"' =cmd|a &amp;"


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0\1\2\3")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PNG = png()
DIGEST = hashlib.sha256(PNG).hexdigest()


def image(digest: str = DIGEST, **more: Any) -> dict[str, Any]:
    return {"_type": "image", "digest": digest, "size": len(PNG), "format": "png", **more}


@pytest.fixture
def project(tmp_path: Path, run_server: Any, lines: Any) -> Any:
    with run_server(tmp_path) as client:
        for i, name in enumerate(("first", HOSTILE)):
            about = ("summary", {"best": 0.5 + i, HOSTILE: 1}), ("config", {"lr": 0.1 / (i + 1), "model": HOSTILE})
            media = {"pic": image(caption=HOSTILE), "say": {"_type": "text", "value": HOSTILE}}
            data = lines(f"r{i}", rows=20, more=list(about), name=name) + encode("log", media, 1_700_000_100.0, 20)
            assert client.append(f"r{i}", data).status_code == 200
            assert client("PUT", f"/api/runs/me/digits/r{i}/blobs/{DIGEST}", data=PNG).status_code == 204
        yield client


def export(client: Any, *blocks: Any, format: str = "html", **content: Any) -> str:
    named = [{"id": f"b{i}", **block} for i, block in enumerate(blocks)]
    made = client("POST", REPORTS, json={"title": "Plan", "blocks": named, **content})
    assert made.status_code == 200, made.text
    answer = client.get(f"{REPORTS}/{made.json()['id']}/export?format={format}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    return str(answer.content.decode())


def text(markdown: str) -> dict[str, Any]:
    return {"kind": "markdown", "text": markdown}


def panel(**spec: Any) -> dict[str, Any]:
    return {"kind": "panel", "panel": spec}


class Page(HTMLParser):
    """The elements and the text of a page; fails for whatever could run or load something."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self.text = ""
        self.policy = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        assert tag not in ("script", "iframe", "object", "embed", "form", "link", "base", "foreignobject"), tag
        assert not [name for name in values if name.startswith("on") or name in ("style", "srcset", "formaction")]
        if tag == "meta" and values.get("http-equiv"):
            self.policy = values["content"]
        if "href" in values:
            self.links.append(values["href"])
            assert values["href"].startswith(("http://", "https://", "data:text/csv", "#", "mailto:"))
        if "src" in values:
            self.images.append(values["src"])
            assert values["src"].startswith("data:image/")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_holds_all_that_it_shows(project: Any) -> None:
    source = export(
        project,
        text("# Head\n\n**bold** `code`\n\n| a | b |\n|---|--:|\n| 1 | 2 |"),
        text("Before\n\n```panel\nkey: acc\nruns: r0\n```\n\nAfter"),
        panel(kind="line", keys=["loss"], title="Loss", logY=True, smoothing={"kind": "ema", "weight": 0.5}),
        {
            "kind": "columns",
            "left": [{"id": "l", **text("left")}],
            "right": [{"id": "r", **panel(kind="bar", column="summary.best")}],
        },
        panel(kind="scatter", x="config.lr", y="summary.best"),
        {"kind": "table", "title": "Runs", "columns": ["name", "created", "config.lr"], "sort": [{"column": "name"}]},
        panel(kind="media", key="pic"),
        {"kind": "media", "run": "r0", "key": "say"},
        text(f"![mine](/api/runs/me/digits/r0/blobs/{DIGEST})"),
    )  # fmt: skip
    page = Page(source)
    assert page.policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    style = source.partition("<style>")[2].partition("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in page.policy
    assert {"h1", "h2", "strong", "code", "td", "svg", "path", "circle", "rect"} <= set(page.tags)
    assert page.images == [f"data:image/png;base64,{base64.b64encode(PNG).decode()}"] * 3
    assert "2023-11-14 22:13 UTC" in page.text
    data = [link for link in page.links if link.startswith("data:text/csv")]
    assert len(data) == 4
    rows = list(csv.reader(io.StringIO(base64.b64decode(data[1].partition("base64,")[2]).decode())))
    assert rows[0] == ["line", "_step", "value", "min", "max"]
    assert rows[1][1:] == ["0", "1", "1", "1"]
    assert len(rows) == 41
    assert page.links[-1] == f"{project.url}/reports/{project.json(REPORTS)['reports'][0]['id']}"


def test_groups_histograms_and_parallel_coordinates_are_drawn(project: Any, lines: Any) -> None:
    for i in range(4):
        histogram = {"_type": "histogram", "bins": [0, 1, 2], "counts": [1, i]}
        data = lines(f"g{i}", rows=5, more=[("config", {"seed": i, "kind": f"k{i % 2}"})])
        project.append(f"g{i}", data + encode("log", {"hist": histogram}, 1_700_000_100.0, 5))
    group = {"group": {"by": ["config.kind"]}}
    runs = {"filter": "config.kind is not null"}
    for band in ("std", "minmax", "none"):
        source = export(project, {**panel(kind="line", keys=["loss"]), **runs, "view": {**group, "band": band}})
        page = Page(source)
        assert "kind: k0" in page.text
        assert "kind: k1" in page.text
        assert ('class="band' in source) == (band != "none")
    rest = {"group": {"except": ["config.seed"]}, "smoothing": {"kind": "ema", "weight": 0.9}}
    assert "kind: k1" in export(project, {**panel(kind="line", keys=["loss", "acc"]), **runs, "view": rest})
    apart = Page(export(project, {**panel(kind="line", keys=["loss"]), **runs, "view": {**group, "band": "runs"}}))
    assert apart.tags.count("li") == 4
    page = Page(export(project, {**panel(kind="histogram", key="hist"), **runs}))
    assert page.tags.count("li") == 4
    page = Page(export(project, {**panel(kind="parallel", columns=["config.seed", "config.kind"]), **runs}))
    assert page.tags.count("tr") == 5


def test_markdown_has_the_values_of_charts(project: Any) -> None:
    source = export(
        project,
        text("# Head\n\n<b>x</b>"),
        panel(kind="line", keys=["loss"], title="A|B"),
        panel(kind="media", key="pic"),
        text(f"![mine](/api/runs/me/digits/r0/blobs/{DIGEST})"),
        format="markdown",
        title="Plan | <b>",
    )
    assert source.startswith("# Plan \\| \\<b\\>\n")
    assert "# Head\n\n<b>x</b>\n" in source
    assert "**A\\|B**\n\n| line | last | min | max |\n| --- | ---: | ---: | ---: |\n" in source
    assert "| first | 0.05 | 0.05 | 1 |" in source
    assert f"]({project.url}/api/runs/me/digits/r0/blobs/{DIGEST})" in source
    assert f"(<{project.url}/api/runs/me/digits/r0/media/{DIGEST}?type=image>)" in source


def test_hostile_texts_stay_texts(project: Any) -> None:
    markdown = (
        f"{HOSTILE}\n\n[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,x) [d](vbscript:x)\n\n"
        "<javascript:alert(1)> ![x](javascript:alert(1)) ![y](https://evil.example/y.png) ![z](/etc/passwd)\n\n"
        '![svg](data:image/svg+xml;base64,AAAA)\n\n[e]: javascript:alert(1)\n[e]\n\n```"><script>\n</pre><script>\n```'
    )
    source = export(
        project,
        text(markdown),
        panel(kind="line", keys=["loss", HOSTILE], title=HOSTILE, color=HOSTILE),
        panel(kind="bar", column=f"summary.{HOSTILE}", title=HOSTILE),
        panel(kind="scatter", x="summary.best", y=f"summary.{HOSTILE}"),
        panel(kind=HOSTILE, key="x"),
        panel(kind="media", key="pic", title=HOSTILE),
        {"kind": "media", "run": "r1", "key": "say", "caption": HOSTILE},
        {"kind": "table", "title": HOSTILE, "columns": ["name", "config.model", f"summary.{HOSTILE}"]},
        title=HOSTILE,
    )
    page = Page(source)
    assert not [link for link in page.links if "script:" in link.lower() or link.startswith("data:text/html")]
    assert "https://evil.example/y.png" in page.links
    assert "<script>alert(1)</script>" in page.text
    for link in page.links:
        if link.startswith("data:text/csv"):
            cells = base64.b64decode(link.partition("base64,")[2]).decode()
            assert all(cell[:1] not in tuple("=+-@") for row in csv.reader(io.StringIO(cells)) for cell in row)


def test_odd_panels_become_notices(project: Any) -> None:
    for odd in (
        panel(),
        panel(kind=7, keys="loss"),
        panel(kind="line", keys=[[], {}, None]),
        panel(kind="line", regex="("),
        panel(kind="line", regex="(a+)+$", keys=["x" * 1000] * 100),
        panel(kind="line", keys=["loss"], x="unknown"),
        panel(kind="line", keys=["loss"], smoothing={"kind": "mean", "weight": 1e308}),
        panel(kind="line", keys=["loss"], smoothing="ema", logX="yes"),
        panel(kind="bar", column="summary.none"),
        panel(kind="scatter", x="name", y={"a": 1}),
        panel(kind="media", key="none"),
        {**panel(kind="line", keys=["loss"]), "filter": "config.lr <"},
        {**panel(kind="line", keys=["loss"]), "runs": ["none"]},
        {**panel(kind="line", keys=["loss"]), "view": {"smoothing": [], "x": 1, "envelope": 0}},
        {"kind": "table", "columns": []},
        {"kind": "table", "columns": ["summary.none"], "filter": "((("},
        {"kind": "media", "run": "none", "key": "x"},
        {"kind": "media", "run": "r0", "key": "say", "step": -(2**53)},
        text("```panel\nnonsense\n```"),
        text("```panel\n{\n```"),
        text('```panel\n[1]\n```\n```panel\n{"kind": "line"}\n```'),
        text("```panel\nkey: loss\nsmoothing: nan\nlimit: 1e400\n```"),
    ):
        Page(export(project, odd))
        export(project, odd, format="markdown")


def test_huge_and_deep_texts_take_little_time(project: Any) -> None:
    start = time.monotonic()
    for deep in (
        ">" * 200_000,
        "- " * 100_000,
        "[" * 200_000,
        "*a_ " * 100_000,
        "`" * 200_000,
        "![" * 100_000 + "](x)",
    ):
        Page(export(project, text(deep)))
    assert time.monotonic() - start < 60


def test_images_are_left_out_past_a_size(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_export, "MAX_IMAGES", len(PNG))
    page = Page(export(project, panel(kind="media", key="pic")))
    assert (len(page.images), "too large for the file" in page.text) == (1, True)
    monkeypatch.undo()
    other = b"GIF8no" + b"<script>" * 9
    digest = hashlib.sha256(other).hexdigest()
    data = encode("run", {"version": 1, "id": "odd"}, 1.0) + encode("log", {"pic": image(digest)}, 1.0, 1)
    project.append("odd", data)
    project("PUT", f"/api/runs/me/digits/odd/blobs/{digest}", data=other)
    page = Page(export(project, {"kind": "media", "run": "odd", "key": "pic"}))
    assert (page.images, "format of this image" in page.text) == ([], True)


def test_values_that_are_not_finite_are_drawn_as_gaps(project: Any) -> None:
    rows = [1.0, float("nan"), 3.0, float("inf"), -1.0, 1e308, -1e308]
    data = encode("run", {"version": 1, "id": "gaps"}, 1.0)
    data += b"".join(
        encode("log", {"v": {"_type": "float", "value": {"nan": "NaN", "inf": "Infinity"}.get(str(value), value)}
                       if str(value) in ("nan", "inf") else value, "c": 1}, 1.0 + i, i)
        for i, value in enumerate(rows)
    )  # fmt: skip
    project.append("gaps", data)
    for spec in (
        {"keys": ["v"]},
        {"keys": ["v"], "logY": True, "logX": True},
        {"keys": ["c"]},
        {"keys": ["c"], "x": "v"},
    ):
        source = export(project, {**panel(kind="line", **spec), "runs": ["gaps"]})
        drawn = source.partition('<svg class="chart"')[2].partition("</svg>")[0]
        assert drawn
        assert "nan" not in drawn.lower()
        assert "inf" not in drawn.lower()


def test_unknown_reports_and_formats_are_refused(project: Any) -> None:
    assert project.get(f"{REPORTS}/none/export").status_code == 404
    made = project("POST", REPORTS, json={"title": "x"}).json()["id"]
    assert project.get(f"{REPORTS}/{made}/export?format=pdf").status_code == 400
    assert json.loads(project.get(f"{REPORTS}/{made}/export?format=pdf").content)["error"].startswith("format")
