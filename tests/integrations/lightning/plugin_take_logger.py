"""A pytest plugin: in Lightning's own tests `TrackerLogger` is the logger by default, and takes the place of one of
those that are tested.
"""

from __future__ import annotations

from lightning.pytorch import loggers
from lightning.pytorch.trainer.connectors.logger_connector import logger_connector

from tracker_lightning import TrackerLogger

loggers.CSVLogger = TrackerLogger
logger_connector.CSVLogger = logger_connector.TensorBoardLogger = TrackerLogger
