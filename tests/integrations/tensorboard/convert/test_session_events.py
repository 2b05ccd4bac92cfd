from __future__ import annotations

import pytest

pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")


from tensorboard.compat.proto import event_pb2

from .converted import Converted, in_event
from .values import Value


def test_the_file_version_is_recorded_with_the_writer() -> None:
    converted = Converted()
    event = event_pb2.Event(file_version="brain.Event:2")
    event.source_metadata.writer = "some.writer"
    converted.add([event, event_pb2.Event(file_version="brain.Event:1")])
    version, old = converted.of_kind("tensorboard")
    assert version == {"file_version": "brain.Event:2", "writer": "some.writer"}
    assert old == {"file_version": "brain.Event:1"}


def test_session_logs_are_recorded_with_the_number_of_rows_before_them() -> None:
    converted = Converted()
    log = event_pb2.SessionLog
    rows = in_event(Value(tag="a", simple_value=1), Value(tag="b", simple_value=2))
    start = event_pb2.Event(step=7, session_log=log(status=log.START))
    saved = event_pb2.Event(step=8, session_log=log(status=log.CHECKPOINT, checkpoint_path="model.ckpt"))
    stop = event_pb2.Event(step=9, session_log=log(status=log.STOP, msg="done"))
    converted.add([rows, start, saved, stop])
    assert converted.of_kind("session") == [
        {"status": "start", "row": 2, "step": 7},
        {"status": "checkpoint", "row": 2, "step": 8, "checkpoint": "model.ckpt"},
        {"status": "stop", "row": 2, "step": 9, "message": "done"},
    ]


def test_log_messages_are_recorded() -> None:
    converted = Converted()
    message = event_pb2.LogMessage(level=event_pb2.LogMessage.WARN, message="slow")
    converted.add([event_pb2.Event(step=3, log_message=message)])
    assert converted.of_kind("tensorboard") == [{"log": {"level": "warn", "message": "slow", "step": 3}}]


def test_a_log_message_too_long_for_a_line_becomes_a_file() -> None:
    converted = Converted()
    event = event_pb2.Event(step=3, log_message=event_pb2.LogMessage(message="x" * 8 * 2**20))
    converted.add([event])
    (file,) = converted.of_kind("file")
    assert event_pb2.Event.FromString(converted.files[file["digest"]]) == event


def test_graphs_and_run_metadata_become_files() -> None:
    converted = Converted()
    tagged = event_pb2.TaggedRunMetadata(tag="step1", run_metadata=b"times")
    converted.add(
        [
            event_pb2.Event(graph_def=b"graph"),
            event_pb2.Event(meta_graph_def=b"meta"),
            event_pb2.Event(step=4, tagged_run_metadata=tagged),
        ]
    )
    files = converted.of_kind("file")
    assert [file["tensorboard"]["plugin"] for file in files] == ["graph", "meta_graph", "run_metadata"]
    assert [converted.files[file["digest"]] for file in files] == [b"graph", b"meta", b"times"]
    assert files[2]["tensorboard"] == {"tag": "step1", "plugin": "run_metadata", "step": 4}


def test_an_empty_event_gives_no_record() -> None:
    converted = Converted()
    converted.add([event_pb2.Event(), event_pb2.Event(summary={})])
    assert converted.records == []
    assert not converted.skipped
