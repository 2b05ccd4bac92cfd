"""A small training for scripts in new processes, with the package that PACKAGE names."""

from __future__ import annotations

TRAINING = """
import importlib, os, signal, sys, time
from pathlib import Path
import torch
package = os.environ["PACKAGE"]
pl = importlib.import_module(package)
BoringModel = importlib.import_module(f"{package}.demos.boring_classes").BoringModel
DummyExperiment = importlib.import_module(f"{package}.loggers.logger").DummyExperiment
from tracker_lightning import TrackerLogger

class Model(BoringModel):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()

    def training_step(self, batch, number):
        assert isinstance(self.logger.experiment, DummyExperiment) == (self.global_rank > 0)
        self.logger.experiment.config.update({"seen": number})
        loss = self.step(batch)
        self.log("loss", loss)
        self.log("rank", float(self.global_rank))
        return loss

    def test_step(self, batch, number):
        self.log("test", self.step(batch))

def metrics_arrive():
    deadline = time.monotonic() + 90  # a busy machine samples late
    while not any(b"cpu/percent" in path.read_bytes() for path in Path(".tracker/runs").glob("*/system*.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.05)

def trainer(logger, **options):
    quiet = dict(enable_progress_bar=False, enable_model_summary=False, accelerator="cpu", devices=1)
    size = dict(max_epochs=1, limit_train_batches=4, limit_val_batches=1, limit_test_batches=1, log_every_n_steps=1)
    return pl.Trainer(logger=logger, **{**quiet, **size, **options})
"""
