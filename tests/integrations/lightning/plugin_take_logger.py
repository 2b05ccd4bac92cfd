"""A pytest plugin: make `TrackerLogger` the default logger of Lightning's own tests, and one of the tested loggers."""

from __future__ import annotations

from lightning.pytorch import loggers
from lightning.pytorch.trainer.connectors.logger_connector import logger_connector

from tracker_lightning import TrackerLogger

loggers.CSVLogger = TrackerLogger
logger_connector.CSVLogger = logger_connector.TensorBoardLogger = TrackerLogger
