"""Train a PyTorch Lightning model on real data, the handwritten digits that scikit-learn ships, and log it.

python examples/lightning_digits.py [--epochs 10] [--lr 0.003 0.03]
"""

from __future__ import annotations

import argparse

import lightning.pytorch as pl
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

import tracker
from tracker_lightning import TrackerLogger


class Digits(pl.LightningDataModule):
    def __init__(self, batch_size: int = 64) -> None:  # noqa: ARG002 - kept by save_hyperparameters
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage: str) -> None:  # noqa: ARG002
        digits = load_digits()
        images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
        labels = torch.tensor(digits.target)
        x, x_test, y, y_test = train_test_split(images, labels, test_size=0.2, random_state=0)
        x, x_val, y, y_val = train_test_split(x, y, test_size=0.1, random_state=0)
        self.train, self.val, self.test = (
            TensorDataset(x, y),
            TensorDataset(x_val, y_val),
            TensorDataset(x_test, y_test),
        )

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self.train, self.hparams.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(self.val, 256)

    def test_dataloader(self) -> DataLoader:
        return DataLoader(self.test, 256)


class Classifier(pl.LightningModule):
    def __init__(self, width: int = 16, lr: float = 3e-3) -> None:  # noqa: ARG002 - kept by save_hyperparameters
        super().__init__()
        self.save_hyperparameters()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, width, 3),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(36 * width, 10),
        )

    def step(self, stage: str, batch: list[torch.Tensor]) -> torch.Tensor:
        images, labels = batch
        outputs = self.layers(images)
        loss = torch.nn.functional.cross_entropy(outputs, labels)
        self.log_dict({f"{stage}/loss": loss, f"{stage}/accuracy": (outputs.argmax(1) == labels).float().mean()})
        return loss

    def training_step(self, batch: list[torch.Tensor], _number: int) -> torch.Tensor:
        return self.step("train", batch)

    def validation_step(self, batch: list[torch.Tensor], _number: int) -> None:
        self.step("val", batch)

    def test_step(self, batch: list[torch.Tensor], number: int) -> None:
        self.step("test", batch)
        if number == 0:
            images = batch[0][:8]
            guesses = self.layers(images).argmax(1).tolist()
            self.logger.log_image("test/samples", list(images), caption=[f"seen as {guess}" for guess in guesses])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.hparams.lr)


def train(lr: float, epochs: int) -> None:
    pl.seed_everything(0)
    logger = TrackerLogger(project="digits", log_model=True)
    best = pl.callbacks.ModelCheckpoint(monitor="val/loss")
    callbacks = [best, pl.callbacks.LearningRateMonitor()]
    trainer = pl.Trainer(max_epochs=epochs, logger=logger, callbacks=callbacks, log_every_n_steps=5)
    model = Classifier(lr=lr)
    logger.watch(model)
    trainer.fit(model, datamodule=Digits())
    trainer.test(model, datamodule=Digits(), ckpt_path=best.best_model_path)
    print(f"learning rate {lr}: test accuracy {tracker.summary['test/accuracy']:.3f}")
    logger.experiment.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, nargs="+", default=[3e-3], help="learning rates; each is a run")
    arguments = parser.parse_args()
    for lr in arguments.lr:
        train(lr, arguments.epochs)


if __name__ == "__main__":
    main()
