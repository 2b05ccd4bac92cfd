"""Convert the metadata of the hparams plugin: experiments, and starts and ends of sessions."""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

from tracker.runlog.records import jsonable
from tracker_tensorboard.reader import Metadata

from .lines import ConversionError, Line

EXPERIMENT = "hparams_experiment"
"""The config key of the experiment: its hyperparameters with their domains, and its metrics."""

_STATES = {api_pb2.STATUS_SUCCESS: "finished", api_pb2.STATUS_FAILURE: "failed"}


def lines(metadata: Metadata, time: float) -> list[Line]:
    """Return the records for the metadata of a value.

    The start of a session gives `config` (its hyperparameters), the `group` of the run, and a `tensorboard` record with
    the rest. Its end gives a `tensorboard` record, with the final `state` of the run if there is one. An experiment
    gives `config`, and its name is the `group`. Raises DecodeError and ConversionError.
    """
    data = plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)
    what = data.WhichOneof("data")
    if what == "experiment":
        experiment = data.experiment
        found = [Line("config", {EXPERIMENT: _experiment(experiment)}, time)]
        return [*found, *_group(experiment.name, time)]
    if what == "session_start_info":
        start = data.session_start_info
        config = {name: _value(value) for name, value in sorted(start.hparams.items())}
        found = [Line("config", config, time)] if config else []
        session = _filled(
            group=start.group_name, model=start.model_uri, monitor=start.monitor_url, time=start.start_time_secs
        )
        return [*found, *_group(start.group_name, time), Line("tensorboard", {"session_start": session}, time)]
    if what == "session_end_info":
        end = data.session_end_info
        status = api_pb2.Status.Name(end.status).removeprefix("STATUS_").lower()
        session = _filled(status=status, state=_STATES.get(end.status), time=end.end_time_secs)
        return [Line("tensorboard", {"session_end": session}, time)]
    raise ConversionError("hparams that are neither an experiment nor the start or end of a session")


def finish_state(line: Line) -> str | None:
    """Return the final state of a run from the end of its session; None for all other records."""
    if line.kind != "tensorboard":
        return None
    state = line.payload.get("session_end", {}).get("state")
    return state if isinstance(state, str) else None


def _experiment(experiment: api_pb2.Experiment) -> dict[str, Any]:
    return _filled(
        name=experiment.name,
        description=experiment.description,
        user=experiment.user,
        time=experiment.time_created_secs,
        hparams=[_hparam(info) for info in experiment.hparam_infos],
        metrics=[
            _filled(
                tag=info.name.tag,
                group=info.name.group,
                display_name=info.display_name,
                description=info.description,
                dataset=_name(api_pb2.DatasetType, info.dataset_type, "DATASET_"),
            )
            for info in experiment.metric_infos
        ],
    )


def _hparam(info: api_pb2.HParamInfo) -> dict[str, Any]:
    found = _filled(
        name=info.name,
        display_name=info.display_name,
        description=info.description,
        type=_name(api_pb2.DataType, info.type, "DATA_TYPE_"),
    )
    domain = info.WhichOneof("domain")
    if domain == "domain_discrete":
        found["values"] = [_value(value) for value in info.domain_discrete.values]
    elif domain == "domain_interval":
        found |= {"min": jsonable(info.domain_interval.min_value), "max": jsonable(info.domain_interval.max_value)}
    return found


def _group(name: str, time: float) -> list[Line]:
    return [Line("meta", {"group": name}, time)] if name else []


def _filled(**members: Any) -> dict[str, Any]:
    """Return the members that are not empty: in protobuf, an empty member is a missing one."""
    return {name: jsonable(value) for name, value in members.items() if value}


def _name(enum: Any, number: int, prefix: str) -> str | None:
    """Return the name of an enum member; None for the member that means "unset"."""
    return enum.Name(number).removeprefix(prefix).lower() if number in enum.values() and number else None


def _value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: _value(member) for name, member in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_value(member) for member in value.list_value.values]
    return None if kind in (None, "null_value") else jsonable(getattr(value, kind))
