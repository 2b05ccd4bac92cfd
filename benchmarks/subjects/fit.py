"""Train a small model with Lightning with each logger in turn; print the µs of a step as JSON.

For each round and logger it prints the mean wall time, and the CPU time of the process with all its threads.

    python fit.py LOGGER… --steps N --rounds N [--site DIRECTORY]

`--site` is a folder of further packages to import from.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import warnings

WARM_UP = 1.5  # seconds before measuring, in which helper processes start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("loggers", nargs="+", choices=["nothing", "tracker", "csv", "tensorboard", "wandb", "mlflow"])
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--site")
    options = parser.parse_args()
    if options.site:
        sys.path.append(options.site)

    import torch

    torch.set_num_threads(1)  # with a small model, scheduling threads takes most of the time
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    fit("none", 100)
    rounds = [{name: fit(name, options.steps) for name in ["none", *options.loggers]} for _ in range(options.rounds)]
    sys.stdout.write("\n" + json.dumps(rounds) + "\n")


def fit(name: str, steps: int) -> tuple[float, float]:
    import lightning.pytorch as pl
    import torch

    class Model(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))

        def training_step(self, batch, _number):
            inputs, labels = batch
            outputs = self.layers(inputs)
            loss = torch.nn.functional.cross_entropy(outputs, labels)
            accuracy = (outputs.argmax(1) == labels).float().mean()
            self.log("train/loss", loss)
            self.log("train/accuracy", accuracy)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    class Clock(pl.Callback):
        steps = -1  # before measuring

        def on_train_start(self, _trainer, _module) -> None:
            self.made = time.perf_counter()

        def on_train_batch_start(self, trainer, _module, _batch, _number) -> None:
            self.ended = time.perf_counter()
            if self.steps < 0 and self.ended - self.made < WARM_UP:
                return
            if self.steps < 0:
                self.began, self.cpu = self.ended, time.process_time()
            self.steps += 1
            self.used = time.process_time()
            trainer.should_stop = self.steps == steps

    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(32, 64, generator=generator), torch.randint(0, 10, (32,), generator=generator)
    clock, logger = Clock(), make(name)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
    every = 1 if logger else 0  # 0: never, so Lightning does not collect the values either
    pl.Trainer(
        logger=logger, max_epochs=1, log_every_n_steps=every, accelerator="cpu", devices=1, callbacks=[clock], **quiet
    ).fit(Model(), torch.utils.data.DataLoader([batch] * 100_000, batch_size=None))
    if name in ("tracker", "wandb"):
        logger.experiment.finish()  # so that its helpers do not run beside the next ones
    return 1e6 * (clock.ended - clock.began) / clock.steps, 1e6 * (clock.used - clock.cpu) / clock.steps


def make(name: str):
    if name == "none":
        return False
    if name == "tracker":
        from tracker_lightning import TrackerLogger

        return TrackerLogger(project="bench", settings={"silent": True})
    from lightning.pytorch import loggers

    if name == "csv":
        return loggers.CSVLogger(".")
    if name == "tensorboard":
        return loggers.TensorBoardLogger(".")
    if name == "wandb":
        return loggers.WandbLogger(project="bench", offline=True, save_dir=".")
    if name == "mlflow":
        return loggers.MLFlowLogger("bench", tracking_uri="sqlite:///mlflow.db")

    class Nothing(loggers.Logger):
        name, version = "nothing", "0"

        def log_metrics(self, metrics, step=None) -> None:
            pass

        def log_hyperparams(self, params, *_args, **_kwargs) -> None:
            pass

    return Nothing()


if __name__ == "__main__":
    main()
