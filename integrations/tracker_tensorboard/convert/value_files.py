"""Values that become files of the run, and how these are named."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from tracker_tensorboard.reader import Metadata

from .lines import Line, Store, Value
from .tensors import strings

FOLDER = "tensorboard"
"""All files that come from event files lie in this folder of the run's files."""

_MAX_PATH = 150
_CONTENT = {
    "custom_scalars": "pb",
    "graph_keras_model": "json",
    "graph_run_metadata": "pb",
    "graph_run_metadata_graph": "pb",
    "graphs": "pb",
}
"""Plugins whose values are one file each, in a tensor of one string."""


def file_line(sort: str, tag: str, extension: str, content: bytes, store: Store, time: float, step: int) -> Line:
    """Store content as a file of the run, and return its record.

    The name is `tensorboard/<sort>/<tag>.<step>.<8 digits of the digest>.<extension>`: other content never has the
    same name, neither of another event file of the run. The member `tensorboard` of the record has tag, plugin (or
    sort of event) and step as they are.
    """
    digest = store(content)
    name = f"{FOLDER}/{_safe_path(sort)}/{_safe_path(tag)}.{step}.{digest[:8]}.{extension}"
    note = {"tag": tag[:10_000], "plugin": sort[:10_000], "step": step}
    payload = {"name": name, "digest": digest, "size": len(content), "path": f"files/{digest}", "tensorboard": note}
    return Line("file", payload, time)


def value_line(value: Value, plugin: str, known: Metadata | None, store: Store, time: float, step: int) -> Line:
    """Store a value that no row can hold, and return the record of the file.

    The file is what the plugin keeps in its tensor where that is known to be a file (a graph, a Keras model as JSON,
    a layout); else the Summary.Value itself, with the metadata of its tag.
    """
    if plugin in _CONTENT:
        try:
            (content,) = strings(value.tensor)
            return file_line(plugin, value.tag, _CONTENT[plugin], content, store, time, step)
        except ValueError:
            pass
    return file_line(plugin or "values", value.tag, "pb", value_bytes(value, known), store, time, step)


def value_bytes(value: Value, known: Metadata | None) -> bytes:
    """Return a Summary.Value as bytes, with metadata that an earlier value of the tag had if it has none itself."""
    content: bytes = value.SerializeToString()
    if known is not None and not value.HasField("metadata"):
        content += Value(metadata=known).SerializeToString()  # messages merge by concatenation
    return content


def _safe_path(text: str) -> str:
    """Return a tag or plugin as part of a path: other texts give others, and none `.`, `..` or an empty part."""
    parts = [quote(part, safe=" +,=@()[]") for part in text.split("/")]
    path = "/".join({"": "%", ".": "%2E", "..": "%2E%2E"}.get(part, part) for part in parts)
    if len(path) <= _MAX_PATH:
        return path
    return f"{path[: _MAX_PATH // 2].rstrip('/')}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"
