"""Store values as files of the run, and name them."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from tracker_tensorboard.reader import Metadata

from .lines import Line, Store, Value
from .tensors import strings

FOLDER = "tensorboard"
"""The folder of the run's files that holds all files from event files."""

_MAX_PATH = 150
_CONTENT = {
    "custom_scalars": "pb",
    "graph_keras_model": "json",
    "graph_run_metadata": "pb",
    "graph_run_metadata_graph": "pb",
    "graphs": "pb",
}
"""Plugins whose values hold a file each, in a tensor of one string; and its extension."""


def file_line(sort: str, tag: str, extension: str, content: bytes, store: Store, time: float, step: int) -> Line:
    """Store content as a file of the run, and return its record.

    The name is `tensorboard/<sort>/<tag>.<step>.<8 digits of the digest>.<extension>`, so no two contents of the run
    have the same name. The member `tensorboard` of the record has the original tag, plugin (or sort of event) and step.
    """
    digest = store(content)
    name = f"{FOLDER}/{_safe_path(sort)}/{_safe_path(tag)}.{step}.{digest[:8]}.{extension}"
    note = {"tag": tag[:10_000], "plugin": sort[:10_000], "step": step}
    payload = {"name": name, "digest": digest, "size": len(content), "path": f"files/{digest}", "tensorboard": note}
    return Line("file", payload, time)


def value_line(value: Value, plugin: str, known: Metadata | None, store: Store, time: float, step: int) -> Line:
    """Store a value that no row can hold, and return the record of the file.

    If the plugin is known to keep a file in its tensor (a graph, a Keras model as JSON, a layout), the file is that.
    If not, it is the Summary.Value itself, with the metadata of its tag.
    """
    if plugin in _CONTENT:
        try:
            (content,) = strings(value.tensor)
            return file_line(plugin, value.tag, _CONTENT[plugin], content, store, time, step)
        except ValueError:
            pass
    return file_line(plugin or "values", value.tag, "pb", value_bytes(value, known), store, time, step)


def value_bytes(value: Value, known: Metadata | None) -> bytes:
    """Return a Summary.Value as bytes, with its metadata, or that of an earlier value of the tag."""
    content: bytes = value.SerializeToString()
    if known is not None and not value.HasField("metadata"):
        content += Value(metadata=known).SerializeToString()  # messages merge by concatenation
    return content


def _safe_path(text: str) -> str:
    """Return a tag or plugin as a path without `.`, `..` or empty parts. Different texts give different paths."""
    parts = [quote(part, safe=" +,=@()[]") for part in text.split("/")]
    path = "/".join({"": "%", ".": "%2E", "..": "%2E%2E"}.get(part, part) for part in parts)
    if len(path) <= _MAX_PATH:
        return path
    return f"{path[: _MAX_PATH // 2].rstrip('/')}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
