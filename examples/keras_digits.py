"""Train a Keras model on real data, the handwritten digits that scikit-learn ships, and log it.

KERAS_BACKEND=jax python examples/keras_digits.py [--epochs 10] [--lr 0.003 0.03]
"""

from __future__ import annotations

import argparse

import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import tracker
from tracker_keras import TrackerCallback, TrackerEvalCallback, TrackerModelCheckpoint


def train(lr: float, epochs: int) -> None:
    digits = load_digits()
    images = (digits.images / 16).astype("float32")[..., None]
    x, x_test, y, y_test = train_test_split(images, digits.target, test_size=0.2, random_state=0)

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(lr), loss, metrics=["accuracy"])

    def predictions(model: keras.Model, _epoch: int | None) -> list[list[object]]:
        found = model.predict(x_test[:8], verbose=0).argmax(axis=1)
        return [[tracker.Image(i), int(y), int(p)] for i, y, p in zip(x_test[:8], y_test[:8], found, strict=True)]

    with tracker.init(project="digits", config={"lr": lr, "epochs": epochs}) as run:
        logging = TrackerCallback(log_freq="batch")
        callbacks = [
            logging,
            TrackerModelCheckpoint(f"{run.dir}/model.keras", monitor="val_loss", save_best_only=True),
            TrackerEvalCallback(predictions, columns=["image", "digit", "prediction"]),
        ]
        model.fit(x, y, batch_size=64, epochs=epochs, validation_split=0.1, callbacks=callbacks, verbose=2)
        model.evaluate(x_test, y_test, callbacks=[logging], verbose=0)
        print(f"learning rate {lr}: test accuracy {run.summary['test/accuracy']:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--lr", type=float, nargs="+", default=[3e-3], help="learning rates; each is a run")
    arguments = parser.parse_args()
    for lr in arguments.lr:
        train(lr, arguments.epochs)


if __name__ == "__main__":
    main()
