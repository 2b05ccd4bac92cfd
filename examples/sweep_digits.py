"""Train small networks, written in numpy, on the handwritten digits that scikit-learn ships: a random search.

python examples/sweep_digits.py [--runs 24] [--epochs 30] [--seed 0]
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tracker

BATCH = 64


def choose(chance: random.Random) -> dict[str, Any]:
    return {
        "lr": round(10 ** chance.uniform(-2.5, -0.3), 4),
        "width": chance.choice([16, 32, 64, 128]),
        "optimizer": {"name": chance.choice(["sgd", "momentum"]), "decay": chance.choice([0.0, 1e-4, 1e-3])},
        "dropout": chance.choice([0.0, 0.1, 0.3]),
        "seed": chance.randrange(3),
    }


class Network:
    """A network of 64 pixels, a hidden layer and 10 digits."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.rng = np.random.default_rng(config["seed"])
        width = config["width"]
        sizes = [(64, width), (width,), (width, 10), (10,)]
        self.weights = [
            self.rng.normal(0, (2 / size[0]) ** 0.5, size) if len(size) == 2 else np.zeros(size) for size in sizes
        ]
        self.speed = [np.zeros_like(weight) for weight in self.weights]

    def forward(self, x: Any, train: bool = False) -> tuple[Any, Any]:
        w1, b1, w2, b2 = self.weights
        hidden = np.maximum(x @ w1 + b1, 0)
        if train and self.config["dropout"]:
            keep = 1 - self.config["dropout"]
            hidden = hidden * (self.rng.random(hidden.shape) < keep) / keep
        scores = hidden @ w2 + b2
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, odds / odds.sum(axis=1, keepdims=True)

    def step(self, x: Any, y: Any) -> tuple[float, float]:
        """Learn from a batch; return its loss and the norm of the gradient."""
        hidden, chances = self.forward(x, train=True)
        wrong = (chances - np.eye(10)[y]) / len(y)
        back = (wrong @ self.weights[2].T) * (hidden > 0)
        gradients = [x.T @ back, back.sum(axis=0), hidden.T @ wrong, wrong.sum(axis=0)]
        decay = self.config["optimizer"]["decay"]
        momentum = 0.9 if self.config["optimizer"]["name"] == "momentum" else 0.0
        for weight, speed, gradient in zip(self.weights, self.speed, gradients, strict=True):
            speed *= momentum
            speed -= self.config["lr"] * (gradient + decay * weight)
            weight += speed
        norm = np.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
        return loss_of(chances, y), norm


def loss_of(chances: Any, y: Any) -> float:
    return float(-np.log(chances[np.arange(len(y)), y] + 1e-12).mean())


def train(config: dict[str, Any], epochs: int) -> None:
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(digits.data / 16, digits.target, test_size=0.25, random_state=0)
    name = f"{config['optimizer']['name']}-{config['width']}-{config['lr']}"
    with tracker.init(project="digits-sweep", name=name, config={**config, "epochs": epochs}) as run:
        run.tags = ["wide"] if config["width"] >= 64 else ["small"]
        run.define_metric("val/*", step_metric="epoch")
        run.define_metric("val/loss", summary="min")
        run.define_metric("val/accuracy", summary="max")
        network = Network(config)
        for epoch in range(epochs):
            order = network.rng.permutation(len(x))
            for start in range(0, len(x), BATCH):
                some = order[start : start + BATCH]
                loss, norm = network.step(x[some], y[some])
                run.log({"train/loss": loss, "train/grad_norm": norm})
            _, chances = network.forward(x_test)
            guess = chances.argmax(axis=1)
            accuracy = float((guess == y_test).mean())
            row = {"val/loss": loss_of(chances, y_test), "val/accuracy": accuracy, "epoch": epoch}
            row |= {f"weights/layer{i}": tracker.Histogram(network.weights[2 * i]) for i in (0, 1)}
            if epoch % 5 == 4 or epoch == epochs - 1:
                worst = np.argsort(chances[np.arange(len(y_test)), y_test])[:6]
                row["examples/mistakes"] = [
                    tracker.Image(1 - x_test[i].reshape(8, 8), caption=f"{y_test[i]} taken for {guess[i]}")
                    for i in worst
                ]
                hits = [[d, int((guess[y_test == d] == d).sum()), int((y_test == d).sum())] for d in range(10)]
                row["examples/digits"] = tracker.Table(columns=["digit", "right", "of"], data=hits)
            run.log(row)
            print(f"epoch {epoch + 1:2}: loss {row['val/loss']:.4f}, accuracy {accuracy:.3f}")
        if accuracy < 0.5:
            run.alert(
                "It has not learned", f"accuracy {accuracy:.3f} with a learning rate of {config['lr']}", level="warn"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0, help="of the random search")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    for _ in range(arguments.runs):
        train(choose(chance), arguments.epochs)


if __name__ == "__main__":
    main()
