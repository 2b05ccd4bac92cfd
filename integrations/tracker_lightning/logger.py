"""`TrackerLogger`: the logger of PyTorch Lightning and Fabric."""

from __future__ import annotations

import copy
import inspect
import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tracker
from tracker.errors import contained, warn_once
from tracker.random_names import random_id
from tracker.settings import SETTINGS, Settings, without_key
from tracker.torch_watch import Watch, kinds_of

from . import hyperparameters, lightning_packages, module_table, multi_node
from .checkpoints import Checkpoints
from .dummy_run import dummy_run
from .media_methods import MediaMethods
from .rank import rank
from .runs import STEP, ended_run, finish_failed, init_arguments, join_run, open_run, share_run
from .watch import watch_model

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger
else:
    Logger = lightning_packages.logger_base()

_LOOK_EVERY = 5.0  # seconds between questions for the run from a training loop; each is a round trip

_count = 0
_SETTINGS = {setting.name for setting in SETTINGS} - {"resume", "reinit"}  # `init` also takes these two as booleans


class TrackerLogger(MediaMethods, Logger):
    """Log metrics, hyperparameters, media, checkpoints and the end of a training to a run.

        logger = TrackerLogger(project="digits", tags=["baseline"], log_model=True)
        trainer = pl.Trainer(max_epochs=10, logger=logger)
        trainer.fit(model)
        logger.experiment.summary["test/accuracy"] = 0.97  # `experiment` is the run

    It works with Trainers of `lightning.pytorch` and `pytorch_lightning`, and with Fabric. The first use of
    `experiment`, or the first log, starts the run as `tracker.init` does, without waiting for the network. The run goes
    on over fit, validate, test and predict, until the script ends or calls `experiment.finish()`. If the training
    fails, so does the run, and logging may go on after that.

    All ranks may call every method; only rank 0 logs. Copies of a logger, in other processes too, share its run. Two
    loggers are two runs.

    Args:
        name: Name of the run. Default: two random words and a number.
        project: Project of the run. Default: the one in the settings (`TRACKER_PROJECT`, `tracker init`).
        save_dir: Folder for the run (`.tracker/runs/<id>`) and for checkpoints (`<project>/<id>/checkpoints`).
        id: Id of the run. An existing run is continued. Default: random.
        version: Another name for `id`, as other loggers have it.
        offline: Whether to keep the run on disk until `tracker sync` uploads it.
        log_model: Whether to store checkpoints of `ModelCheckpoint` with the run: with `True` the ones that exist when
            training ends or fails, with `"all"` each one as soon as it is saved.
        experiment: A run to log to. Default: a new one.
        prefix: Prefix of all metrics; a slash follows it.
        checkpoint_name: Folder of the checkpoints in the files of the run. Default: `checkpoints`.
        entity: User or team that owns the project. Default: the one in the settings, or your login name.
        group: Group of the run.
        job_type: What the run does in its group, such as train or eval.
        tags: Tags of the run.
        notes: Notes on the run.
        **init_kwargs: More arguments of `tracker.init`, such as `config`, `mode`, `resume` and `settings`.

    Raises:
        ModuleNotFoundError: If Lightning is not installed.
        TypeError: If `tracker.init` has no such argument.
        ValueError: If `log_model` is none of these, or `id` and `version` differ.
        tracker.SettingsError: If a name or setting is not valid.
    """

    def __init__(
        self,
        name: str | None = None,
        project: str | None = None,
        save_dir: str | Path = ".",
        id: str | None = None,
        version: str | int | None = None,
        offline: bool = False,
        log_model: bool | Literal["all"] = False,
        experiment: tracker.Run | None = None,
        prefix: str = "",
        checkpoint_name: str | None = None,
        entity: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: list[str] | None = None,
        notes: str | None = None,
        **init_kwargs: Any,
    ) -> None:
        global _count
        lightning_packages.require_lightning()
        lightning_packages.register_logger(TrackerLogger)
        super().__init__()
        if log_model not in (True, False, "all"):
            raise ValueError(f'log_model {log_model!r} must be True, False or "all"')
        if id is not None and version is not None and id != str(version):
            raise ValueError(f"id {id!r} and version {version!r} are two names of one argument; pass one of them")
        if "://" in str(save_dir):
            raise tracker.SettingsError(
                f"save_dir {str(save_dir)!r} is not a folder of this machine, where the run is kept; "
                "to save only checkpoints elsewhere, use ModelCheckpoint(dirpath=…)"
            )
        given = init_kwargs | {
            "project": project, "entity": entity, "name": name, "group": group, "job_type": job_type, "tags": tags,
            "notes": notes, "dir": None if str(save_dir) == "." else os.fspath(save_dir),
            "id": id if version is None else str(version),
        }  # fmt: skip
        if offline:
            given["mode"] = "offline"
        if experiment is not None:
            given |= init_arguments(experiment)
        inspect.signature(tracker.init).bind(**given)  # so that a TypeError comes now, not in the middle of training
        own = {name: value for name, value in given.items() if name in _SETTINGS}
        resolved = Settings({**(given.get("settings") or {}), **own})
        self._save_dir = resolved.dir or "."
        self._project = resolved.project
        self._id = resolved.id or random_id()
        self._arguments = given | {"id": self._id, "dir": os.path.abspath(self._save_dir)}
        if resolved.id is None:
            self._arguments.setdefault("resume", None)  # a new id is not on the server, so do not ask
        self._continues = False  # whether this logger or a copy may have started the run
        self._run: tracker.Run | None = None
        if experiment is not None:
            share_run(experiment, self._arguments)
            self._continues = True
        self._prefix = f"{prefix}/" if prefix else ""
        self._log_model = log_model
        self._checkpoints = Checkpoints(checkpoint_name or "checkpoints")
        self._watches: list[Watch] = []
        self._step: int | None = None
        self._graph: Any = None
        _count += 1
        self._number = _count  # the same on all nodes, as they run the same script
        self._announced = False
        self._last_lookup = 0.0
        self._created_at = time.time()

    # -- what Lightning asks ------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The project. Lightning saves checkpoints in `<save_dir>/<name>/<version>/checkpoints`."""
        return self._project

    @property
    def version(self) -> str:
        """The id of the run."""
        return self._id

    @property
    def save_dir(self) -> str:
        """The folder for the run and its checkpoints."""
        return self._save_dir

    @property
    def root_dir(self) -> str:
        """`<save_dir>/<project>`."""
        return os.path.join(self._save_dir, self._project)

    @property
    def log_dir(self) -> str:
        """`<save_dir>/<project>/<id>`, for checkpoints and other files of the run. It may not exist yet."""
        return os.path.join(self._save_dir, self._project, self._id)

    @property
    def group_separator(self) -> str:
        """Separates the parts of metric names."""
        return "/"

    @property
    def experiment(self) -> tracker.Run:
        """The run, started if needed. On ranks other than 0, a stand-in that ignores every call.

        A run that has ended stays ended until something is written to it.
        """
        if rank() > 0:
            self._join_on_other_node()
            return dummy_run()  # type: ignore[no-any-return]
        return ended_run(self._arguments) or self._open_run()

    def save(self) -> None:
        """Do nothing: a row is safe when the call that logs it returns."""

    # -- logging --------------------------------------------------------------------------------------------------

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log one row. Steps may repeat and go backwards; `metrics` may hold every value that `Run.log` takes."""
        if rank() > 0:
            return self._join_on_other_node(_LOOK_EVERY)
        run = self._run
        if run is None or run.finished:
            run = self._open_run()
        if self._prefix:
            metrics = {f"{self._prefix}{key}": value for key, value in metrics.items()}
        if step is None:
            run.log(metrics)
        else:
            self._step = step
            run.log({**metrics, STEP: step}, step)
        return None

    def log_hyperparams(
        self,
        params: Mapping[str, Any] | Namespace,
        metrics: Mapping[str, Any] | float | None = None,
        step: int | None = None,
        *_args: Any,
        **_kwargs: Any,
    ) -> None:
        """Store hyperparameters in the config.

        Args:
            params: The hyperparameters. They may be nested; values that cannot be read become text.
            metrics: Metrics to log as a row, as Lightning's TensorBoardLogger does. A single value is `hp_metric`.
            step: The step of that row. Default: 0.
        """
        if rank() > 0:
            return self._join_on_other_node()
        run = self._open_run()
        try:
            run.config.update(hyperparameters.without_cli_internals(params))
        except TypeError as error:
            warn_once(f"log_hyperparams() stores nothing: {error}")
        row = hyperparameters.metrics_row(metrics)
        if row:
            self.log_metrics(row, 0 if step is None else step)
        return None

    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Store a table of the model's modules in the summary, as `model`, and the configuration of LightningCLI.

        With `input_array`, an input of the model (a tuple for several arguments), the model runs on it, and the table
        has the shapes of outputs. Lightning calls this before training, without an input.
        """
        if rank() > 0:
            return self._join_on_other_node()
        run = self._open_run()
        with contained("log_graph()"):
            table = module_table.module_table(model, input_array)
            if self._graph != (run.id, table.data):  # fit, validate and test each pass it
                self._graph = (run.id, table.data)
                run.summary["model"] = table
            self._keep_command_line(run, model)
        return None

    def watch(
        self,
        model: Any,
        log: Literal["gradients", "parameters", "all"] | None = "gradients",
        log_freq: int = 100,
        log_graph: bool = True,
    ) -> None:
        """Log histograms of the model's gradients, parameters or both, until `unwatch`.

            logger.watch(model, log="all", log_freq=500)

        Call it in the process that trains: with `ddp_spawn`, in `on_fit_start`. Gradients are those of rank 0, as
        accumulated and scaled at that moment.

        Args:
            model: A torch module.
            log: What to log; None logs no histograms.
            log_freq: Log every this many backward passes.
            log_graph: Whether to store the table of modules too, as `log_graph` does.

        Raises:
            TypeError: If `model` is not a torch module.
            ValueError: If `log` or `log_freq` is not valid.
        """
        kinds = () if log is None else kinds_of(log, log_freq)
        if rank() > 0:
            return
        self.unwatch(model)
        if kinds:
            self._watches.append(watch_model(model, kinds, log_freq, self.log_metrics))
        if log_graph:
            self.log_graph(model)

    def unwatch(self, model: Any = None) -> None:
        """Stop watching one model, or all."""
        for watch in [w for w in self._watches if model is None or w.model is model]:
            watch.close()
            self._watches.remove(watch)

    # -- checkpoints ----------------------------------------------------------------------------------------------

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Note a checkpoint that Lightning has saved; with `log_model="all"`, store it."""
        if self._log_model and rank() == 0:
            self._checkpoints.note_saved(checkpoint_callback)
            if self._log_model == "all":
                self._store_checkpoints()

    def _store_checkpoints(self) -> None:
        run = self._open_run()
        if run.mode != "disabled":
            self._checkpoints.store(run, {} if self._step is None else {STEP: self._step}, self._step)

    @staticmethod
    def download_checkpoint(ref: str, save_dir: str | Path = ".") -> str:
        """Download a stored checkpoint and return its path.

            path = TrackerLogger.download_checkpoint("me/digits/k3v9x2m1:best")
            trainer.fit(model, ckpt_path=path)

        A run in `.tracker/runs` of this directory is read there, other runs on the server.

        Args:
            ref: `entity/project/run_id:alias`, or a run directory and `:alias`. The alias is `latest` (the default),
                `best`, or the name of a file.
            save_dir: The folder to save to, as `checkpoints/<file name>`.

        Returns:
            The path of the checkpoint.

        Raises:
            FileNotFoundError: If the run has no such checkpoint. An agent may still be uploading it.
            tracker.TrackerError: If the run cannot be read.
        """
        from .checkpoint_download import download

        return download(ref, os.fspath(save_dir))

    # -- the end ----------------------------------------------------------------------------------------------------

    def finalize(self, status: str) -> None:
        """End a fit, validate, test or predict. Safe to repeat.

        The run stays open if it succeeded. If not, the run ends as `failed`, or `killed` by an interrupt, with the
        exception that is being handled.
        """
        if rank() > 0:
            self._join_on_other_node()
        for watch in self._watches:
            watch.flush()
        run = self._run
        if run is not None and not run.finished and self._log_model:
            self._store_checkpoints()
        if status == "finished" and "SLURM_JOB_ID" in os.environ and run is not None and not run.finished:
            run.mark_preempting()  # Lightning's sign that SLURM will take the machine and requeue the job
        if status in ("success", "finished"):
            return
        if run is None and rank() == 0 and self._started_in_child():
            run = self._open_run()
        if run is not None:
            finish_failed(run, sys.exc_info()[1])

    # -- the run ------------------------------------------------------------------------------------------------------

    def _started_in_child(self) -> bool:
        """Tell whether a child process started the run, as with `ddp_spawn`, whose exceptions do not arrive here."""
        directory = os.path.join(self._arguments["dir"], ".tracker", "runs", self._id)
        try:
            return os.stat(directory).st_mtime >= self._created_at
        except OSError:
            return False

    def _open_run(self) -> tracker.Run:
        """Return the run of this process; start it, or continue it if it has finished."""
        run = self._run = open_run(self._arguments, self._continues)
        self._project, self._id, self._continues = run.project, run.id, True
        if not self._announced:
            self._announced = multi_node.announce_run(self._number, run)
        return run

    def _join_on_other_node(self, again_after: float = 0.0) -> None:
        """On other ranks than 0: join the run as soon as it is known, if this is the first process of its node."""
        now = time.monotonic()
        if self._run is None and now >= self._last_lookup + again_after and multi_node.is_first_on_node():
            self._last_lookup = now
            about = multi_node.find_run(self._number)
            if about is not None:
                self._run = join_run(self._arguments | about)

    def _keep_command_line(self, run: tracker.Run, model: Any) -> None:
        found = hyperparameters.cli_config(model)
        if found is not None:
            config, file = found
            run.config["cli"] = config
            path = os.path.join(self.log_dir, file)
            if os.path.isfile(path):
                run.save(path, base_path=self.log_dir)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the key and without what belongs to this process. The copy continues the run."""
        self._continues = True
        settings = self._arguments.get("settings")
        arguments = self._arguments | ({"settings": without_key(settings)} if settings else {})
        return self.__dict__ | {"_arguments": arguments, "_run": None, "_watches": [], "_announced": False}

    def __deepcopy__(self, memo: dict[int, Any]) -> TrackerLogger:
        new = type(self).__new__(type(self))
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(self.__getstate__(), memo), _arguments=copy.deepcopy(self._arguments, memo))
        return new


TrackerLogger.__module__ = __package__  # where users import it, and where pickles find it
lightning_packages.register_on_import(TrackerLogger)
