"""The callbacks do not wait for the device."""

from __future__ import annotations

from typing import Any

import pytest

keras = pytest.importorskip("keras")

import numpy as np  # noqa: E402

from tracker_keras import TrackerCallback, TrackerEvalCallback, TrackerModelCheckpoint  # noqa: E402

from .networks import network  # noqa: E402

pytestmark = pytest.mark.usefixtures("no_agents")

asynchronous = pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="Keras is never asynchronous there")
X = np.ones((16, 3), "float32")  # 16 batches of one row


def is_async(*callbacks: Any) -> tuple[bool, bool]:
    made = keras.callbacks.CallbackList(list(callbacks), model=network())
    return made._async_train, made._async_test


@asynchronous
@pytest.mark.parametrize("log_freq", ["epoch", "batch", 7])
def test_dispatch_stays_asynchronous(log_freq: Any) -> None:
    assert is_async(TrackerCallback(log_freq)) == (True, True)


@asynchronous
def test_the_other_callbacks_leave_dispatch_asynchronous_if_they_act_once_an_epoch() -> None:
    assert is_async(TrackerModelCheckpoint("m.keras"), TrackerEvalCallback(lambda *_: [])) == (True, True)
    assert is_async(TrackerModelCheckpoint("m.keras", save_freq=5))[0] is False


@asynchronous
def test_a_subclass_with_hooks_of_its_own_must_say_that_they_are_safe() -> None:
    class Mine(TrackerCallback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            super().on_train_batch_end(batch, logs)

    class Safe(Mine):
        async_safe = True

    class Other(TrackerCallback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            super().on_epoch_end(epoch, logs)

    assert [is_async(kind())[0] for kind in (Mine, Safe, Other)] == [False, True, True]


def test_the_callback_has_batch_hooks_only_if_it_logs_batches() -> None:
    base = keras.callbacks.Callback
    hooks = [name for name in dir(base) if "batch" in name and name.startswith("on_")]
    default = {name for name in hooks if getattr(getattr(TrackerCallback(), name), "_is_default", False)}
    assert default == {*hooks}
    logging = {name for name in hooks if not getattr(getattr(TrackerCallback("batch"), name), "_is_default", False)}
    assert logging == {"on_train_batch_end"}


@pytest.mark.parametrize("log_freq", ["epoch", "batch", 4])
def test_the_state_is_not_read_more_often_than_without_the_callback(
    log_freq: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if keras.backend.backend() != "jax":
        pytest.skip("only JAX keeps the state apart from the model")
    kind, syncs = type(network()), []
    sync = kind.jax_state_sync

    def counting(self: Any) -> None:
        if getattr(self, "_jax_state", None) and not self._jax_state_synced:
            syncs.append(1)
        sync(self)

    monkeypatch.setattr(kind, "jax_state_sync", counting)

    def count(*callbacks: Any) -> int:
        del syncs[:]
        network().fit(X, X[:, :1], batch_size=1, verbose=0, callbacks=list(callbacks))
        return len(syncs)

    assert count(TrackerCallback(log_freq)) == count() <= 3


@pytest.mark.parametrize("log_freq", ["epoch", "batch"])
def test_batch_hooks_do_not_access_the_model(log_freq: Any) -> None:
    accesses = []

    class Watched(TrackerCallback):
        during = False

        @property
        def model(self) -> Any:
            accesses.append(self.during)
            return super().model

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            super().on_epoch_begin(epoch, logs)
            self.during = True

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.during = False
            super().on_epoch_end(epoch, logs)

    callback = Watched(log_freq)
    network().fit(X, X[:, :1], batch_size=1, verbose=0, callbacks=[callback])
    assert callback.model is not None  # an access that `accesses` must have
    assert set(accesses) == {False}


def test_tensors_are_copied_from_the_device_late_and_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    if keras.backend.backend() != "jax":
        pytest.skip("counts what JAX's arrays do")
    events: list[str] = []
    kind = type(keras.ops.convert_to_tensor(0.5))
    start, wait = kind.copy_to_host_async, kind.item
    monkeypatch.setattr(kind, "copy_to_host_async", lambda self: (events.append("start"), start(self))[1])
    monkeypatch.setattr(kind, "item", lambda self: (events.append("wait"), wait(self))[1])
    monkeypatch.setattr("tracker_keras.batch_rows.GROUP_SECONDS", 60.0)
    ours = TrackerCallback("batch")
    ours.on_train_begin()
    for batch in range(16):
        ours.on_train_batch_end(batch, {"loss": keras.ops.convert_to_tensor(0.5)})
    assert events == []
    ours.on_train_end()
    assert events == [*["start"] * 16, *["wait"] * 16]
