"""Convert events without values: file versions, session logs, log messages, graphs and run metadata."""

from __future__ import annotations

from tensorboard.compat.proto import event_pb2

from .lines import Line, Store
from .value_files import file_line

_STATUS = {
    event_pb2.SessionLog.START: "start",
    event_pb2.SessionLog.STOP: "stop",
    event_pb2.SessionLog.CHECKPOINT: "checkpoint",
}


def lines(event: event_pb2.Event, row: int, store: Store) -> list[Line]:
    """Return the records for an event other than a summary.

    Versions and log messages become `tensorboard` records. Session logs become `session` records, with the number of
    rows before them. Graphs and run metadata become files. An empty event has no record.
    """
    what, time, step = event.WhichOneof("what"), event.wall_time, event.step
    if what == "file_version":
        payload = {"file_version": event.file_version}
        if event.source_metadata.writer:
            payload["writer"] = event.source_metadata.writer
        return [Line("tensorboard", payload, time)]
    if what == "session_log":
        log = event.session_log
        session = {"status": _STATUS.get(log.status, "unspecified"), "row": row, "step": step}
        texts = {"checkpoint": log.checkpoint_path, "message": log.msg}
        return [Line("session", session | {name: text for name, text in texts.items() if text}, time)]
    if what == "log_message":
        level = event_pb2.LogMessage.Level.Name(event.log_message.level).lower()
        return [
            Line("tensorboard", {"log": {"level": level, "message": event.log_message.message, "step": step}}, time)
        ]
    if what == "graph_def":
        return [file_line("graph", "graph", "pb", event.graph_def, store, time, step)]
    if what == "meta_graph_def":
        return [file_line("meta_graph", "meta_graph", "pb", event.meta_graph_def, store, time, step)]
    if what == "tagged_run_metadata":
        tagged = event.tagged_run_metadata
        return [file_line("run_metadata", tagged.tag, "pb", tagged.run_metadata, store, time, step)]
    return []
