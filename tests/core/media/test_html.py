from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from tests.core.media.memory_store import MemoryStore
from tracker.media import Html

BASE = b'<base target="_blank">'


def stored(html: Html, store: MemoryStore) -> bytes:
    record = html.record(store)
    assert (record["_type"], record["format"]) == ("html", "html")
    return store.content(record)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<p>é</p>", BASE + "<p>é</p>".encode()),
        ("<!DOCTYPE html><p>a", b"<!DOCTYPE html>" + BASE + b"<p>a"),
        ('<html lang="en"><p>a', b'<html lang="en">' + BASE + b"<p>a"),
        ("<!doctype html><html><HEAD id=a><title>", b"<!doctype html><html><HEAD id=a>" + BASE + b"<title>"),
        ("<header>a</header>", BASE + b"<header>a</header>"),
        (b"<p>", BASE + b"<p>"),
        (io.StringIO("<p>"), BASE + b"<p>"),
        (io.BytesIO(b"<p>"), BASE + b"<p>"),
        ("plain text", BASE + b"plain text"),
        ("\ud800", BASE + b"?"),
    ],
)
def test_links_open_outside_the_frame(given: Any, expected: Any, store: MemoryStore) -> None:
    assert stored(Html(given), store) == expected


def test_without_inject_nothing_is_changed(store: MemoryStore) -> None:
    assert stored(Html("<head><p>", inject=False), store) == b"<head><p>"


@pytest.mark.parametrize("convert", [str, lambda path: path])
def test_files_are_read_when_logged(convert: Any, store: MemoryStore, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    with pytest.raises(FileNotFoundError):
        Html(convert(path))
    path.write_text("<p>1")
    html = Html(convert(path), inject=False)
    path.write_text("<p>2")
    assert stored(html, store) == b"<p>2"


def test_html_that_ends_like_a_file_name_is_html(store: MemoryStore) -> None:
    assert stored(Html("<p>see index.html", inject=False), store) == b"<p>see index.html"


@pytest.mark.parametrize("value", [None, 3, ["<p>"]])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Html takes"):
        Html(value)
