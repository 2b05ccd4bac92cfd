"""`TrackerLogger` with LightningCLI."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jsonargparse")

CLASS = "tracker_lightning.TrackerLogger"
CONFIG = f"""
trainer:
  max_epochs: 1
  limit_train_batches: 2
  limit_val_batches: 1
  accelerator: cpu
  devices: 1
  log_every_n_steps: 1
  enable_progress_bar: false
  enable_model_summary: false
  logger:
    class_path: {CLASS}
    init_args:
      project: digits
      id: r
      tags: [from, yaml]
      log_model: all
      prefix: p
      notes: a remark
    dict_kwargs:
      config: {{seed: 7}}
model:
  width: 5
"""


@pytest.fixture
def command(pl: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs a program with only a LightningCLI."""

    class Model(pl.BoringModel):  # type: ignore[misc, name-defined]
        def __init__(self, width: int = 3) -> None:
            super().__init__()
            self.save_hyperparameters()

        def training_step(self, batch: Any, number: int) -> Any:
            loss = self.step(batch)
            self.log("loss", loss)
            return loss

    monkeypatch.setenv("JSONARGPARSE_DEPRECATION_WARNINGS", "off")  # only from calls of LightningCLI

    def command(*arguments: str, **options: Any) -> Any:
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        return pl.LightningCLI(Model, pl.BoringDataModule, seed_everything_default=False, **options)

    return command


def test_the_logger_is_created_from_yaml_and_the_config_is_stored_with_the_run(command: Any, runs: Any) -> None:
    Path("config.yaml").write_text(CONFIG)
    cli = command("fit", "--config", "config.yaml")
    (run,) = runs()
    assert (run.path, run.tags, run.notes) == ("me/digits/r", ["from", "yaml"], "a remark")
    assert {"p/loss", "checkpoint/file"} <= set(run.keys())
    assert (run.config["seed"], run.config["width"]) == (7, 5)
    assert "_instantiator" not in run.config  # which LightningCLI adds to hyperparameters
    assert run.config["cli"]["trainer"]["limit_train_batches"] == 2
    assert run.config["cli"]["trainer"]["logger"]["init_args"]["project"] == "digits"
    assert Path("digits/r/config.yaml").is_file()
    cli.trainer.logger.experiment.finish()
    saved = cli.trainer.logger.download_checkpoint("digits/r:config.yaml", "got")
    assert Path(saved).read_text() == Path("digits/r/config.yaml").read_text()


def test_a_second_run_with_the_same_config_works(command: Any, runs: Any) -> None:
    Path("config.yaml").write_text(CONFIG.replace("      id: r\n", ""))
    command("fit", "--config", "config.yaml")
    command("fit", "--config", "config.yaml")
    assert len(runs()) == 2


def test_no_config_is_stored_if_the_cli_saves_none(command: Any, runs: Any) -> None:
    Path("config.yaml").write_text(CONFIG)
    command("fit", "--config", "config.yaml", save_config_callback=None)
    (run,) = runs()
    assert "cli" not in run.config


def test_print_config_lists_the_arguments_of_the_logger(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("fit", f"--trainer.logger={CLASS}", "--print_config")
    output = capsys.readouterr().out
    assert f"class_path: {CLASS}" in output
    for argument in ("name: null", "project: null", "save_dir: .", "log_model: false", "offline: false", "tags: null"):
        assert argument in output


def test_help_gives_types_and_descriptions(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("fit", f"--trainer.logger.help={CLASS}")
    output = " ".join(capsys.readouterr().out.split())
    assert "--trainer.logger.project PROJECT Project of the run." in output
    assert "User or team that owns the project." in output
    assert "(type: Union[bool, Literal['all']], default: False)" in output
    assert "(type: Optional[list[str]], default: null)" in output or "Optional[List[str]]" in output


def test_invalid_arguments_are_reported(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command("fit", f"--trainer.logger={CLASS}", "--trainer.logger.log_model=some")
    assert "log_model" in capsys.readouterr().err
