from __future__ import annotations

import threading
from typing import Any

import pytest

from tracker.names import RunKey
from tracker.wire import ReportContent
from tracker_server.storage.interface import CommentPlace, NoSuchComment, NoSuchReport, NoSuchRun, ReportChanged

PLACE = ("me", "digits")


def content(title: str = "Plan", text: str = "", message: str | None = None) -> ReportContent:
    blocks = [{"id": "a", "kind": "markdown", "text": text}]
    return {"title": title, "state": "published", "blocks": blocks, "message": message}


@pytest.fixture
def storage(store: Any) -> Any:
    store.stream().send()
    return store.storage


def test_of_two_saves_at_once_one_is_refused_and_nothing_is_lost(storage: Any) -> None:
    report = storage.create_report(*PLACE, content())["id"]
    start = threading.Barrier(8)
    saved: list[str] = []
    refused: list[str] = []

    def save(name: str) -> None:
        start.wait()
        try:
            saved.append(storage.save_report(*PLACE, report, 1, content(name))["title"])
        except ReportChanged as error:
            refused.append(error.current["title"])

    threads = [threading.Thread(target=save, args=(f"by {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(saved), refused) == (1, saved * 7)
    assert storage.report(*PLACE, report)["title"] == saved[0]
    assert [one["version"] for one in storage.report_versions(*PLACE, report, 10, None).items] == [2, 1]


def test_reports_survive_a_restart(store: Any, storage: Any) -> None:
    made = storage.create_report(*PLACE, content(text="ü" * 100_000, message="first"))
    store.reopen()
    assert store.storage.report(*PLACE, made["id"]) == made
    assert store.storage.report_place(made["id"]) == ("me", "digits", False, None)


def test_the_address_of_a_report_outlives_renames(storage: Any) -> None:
    report = storage.create_report(*PLACE, content())["id"]
    storage.rename_project(*PLACE, "me", "numbers")
    assert storage.report_place(report)[:2] == ("me", "numbers")
    assert storage.report("me", "numbers", report)["project"] == "numbers"


def test_comments_go_with_a_moved_run(store: Any, storage: Any) -> None:
    comment = storage.add_comment(CommentPlace(*PLACE, run="r1"), "hm", [])
    store.stream(key=RunKey("me", "other", "r2")).send()
    storage.move_runs([RunKey(*PLACE, "r1")], "me", "other")
    found, place, author = storage.comment(comment["id"])
    assert (place, author) == (CommentPlace("me", "other", run="r1"), None)
    assert found["run"] == "me/other/r1"
    assert storage.comments(place, 10, None).items == [found]
    with pytest.raises(NoSuchRun):
        storage.comments(CommentPlace(*PLACE, run="r1"), 10, None)


def test_deleted_projects_leave_no_reports_and_comments(store: Any, storage: Any) -> None:
    report = storage.create_report(*PLACE, content())["id"]
    comments = [
        storage.add_comment(CommentPlace(*PLACE, **on), "x", [])["id"] for on in ({"run": "r1"}, {"report": report})
    ]
    storage.delete_project(*PLACE)
    with pytest.raises(NoSuchReport):
        storage.report_place(report)
    for comment in comments:
        with pytest.raises(NoSuchComment):
            storage.comment(comment)
    with storage.engine.connect() as connection:
        for table in ("reports", "report_versions", "comments"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
