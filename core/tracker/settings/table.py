"""The settings that there are: names, variables, types, defaults, and the words that some of them take."""

from __future__ import annotations

from typing import Any, NamedTuple

MODES = ("online", "offline", "disabled")
CONSOLES = ("off", "wrap", "redirect")


class Setting(NamedTuple):
    """One setting: its name in files and in `init(settings=…)`, its variable, type, default and one line about it."""

    name: str
    variable: str
    kind: type
    default: Any
    about: str


SETTINGS = (
    Setting("mode", "TRACKER_MODE", str, "online", "online, offline (alias dryrun) or disabled"),
    Setting("project", "TRACKER_PROJECT", str, "uncategorized", "the project that runs belong to"),
    Setting("entity", "TRACKER_ENTITY", str, None, "the user or team that owns the project; default: your login name"),
    Setting("base_url", "TRACKER_BASE_URL", str, None, "address of the server; default: your own server on this machine, found by itself"),
    Setting("api_key", "TRACKER_API_KEY", str, None, "key for the server (the token that `tracker server` prints)"),
    Setting("dir", "TRACKER_DIR", str, None, "run directories are made in `<dir>/.tracker/runs`; default: the working directory"),
    Setting("id", "TRACKER_RUN_ID", str, None, "id of the run; default: random"),
    Setting("name", "TRACKER_NAME", str, None, "name of the run; default: two readable random words and a number"),
    Setting("group", "TRACKER_RUN_GROUP", str, None, "group that joins the runs of many processes"),
    Setting("job_type", "TRACKER_JOB_TYPE", str, None, "what the run does within its group, such as train or eval"),
    Setting("tags", "TRACKER_TAGS", list, None, "tags of the run; in the variable separated by commas"),
    Setting("notes", "TRACKER_NOTES", str, None, "a remark about the run"),
    Setting("color", "TRACKER_COLOR", str, None, "in what colour the run is drawn, as #rrggbb; default: one of the palette, in turn"),
    Setting("resume", "TRACKER_RESUME", str, None, "allow, must, never or auto: what to do if the id exists already"),
    Setting("resume_timeout", "TRACKER_RESUME_TIMEOUT", float, 10.0, "seconds that `init` waits for the server if the run to be resumed is not in this directory"),
    Setting("reinit", "TRACKER_REINIT", str, None, "what `init` does while a run is active: return_previous, finish_previous or create_new; default: in scripts return it unless another one is named, in notebooks finish_previous"),
    Setting("silent", "TRACKER_SILENT", bool, False, "print nothing"),
    Setting("save_code", "TRACKER_SAVE_CODE", bool, False, "keep the main script or notebook with the run"),
    Setting("capture", "TRACKER_CAPTURE", list, None, "what is kept of how the run was made: some of command, variables, host, packages, git, diff, untracked; default: all"),
    Setting("capture_variables", "TRACKER_CAPTURE_VARIABLES", list, None, "names of further variables of the environment to keep"),
    Setting("capture_limit", "TRACKER_CAPTURE_LIMIT", float, 1.0, "MiB of an untracked or source file; larger ones are left out"),
    Setting("disable_code", "TRACKER_DISABLE_CODE", bool, False, "keep nothing of the code: no commit, diff, untracked file or source file"),
    Setting("disable_git", "TRACKER_DISABLE_GIT", bool, False, "do not run git"),
    Setting("ignore_globs", "TRACKER_IGNORE_GLOBS", list, None, "captured files with such names, such as *.patch, stay on this machine"),
    Setting("console", "TRACKER_CONSOLE", str, "wrap", "off, wrap or redirect: how what the process prints is kept"),
    Setting("console_limit", "TRACKER_CONSOLE_LIMIT", float, 64.0, "MiB of printed lines kept of each process; of the rest the last lines only"),
    Setting("sync_tensorboard", "TRACKER_SYNC_TENSORBOARD", bool, False, "follow the TensorBoard event files that the process writes"),
    Setting("allow_stop", "TRACKER_ALLOW_STOP", bool, None, "whether the run may be stopped through the server; default: if that is on this machine"),
    Setting("alert_interval", "TRACKER_ALERT_INTERVAL", float, 60.0, "seconds after an alert in which others with its title are left out"),
    Setting("live_interval", "TRACKER_LIVE_INTERVAL", float, 10.0, "seconds between looks at files saved with the policy live"),
    Setting("fsync_interval", "TRACKER_FSYNC_INTERVAL", float, 1.0, "seconds between flushes of the log to the disk by the agent; a power cut loses no more than that"),
    Setting("upload_interval", "TRACKER_UPLOAD_INTERVAL", float, 1.0, "seconds between uploads by the agent"),
    Setting("upload_timeout", "TRACKER_UPLOAD_TIMEOUT", float, 30.0, "seconds after which an unanswered request is tried again"),
    Setting("drain_timeout", "TRACKER_DRAIN_TIMEOUT", float, 3600.0, "seconds for which the agent goes on trying to upload after training has ended; `tracker sync` completes what is left"),
    Setting("finish_timeout", "TRACKER_FINISH_TIMEOUT", float, "auto", "seconds for which `finish` waits for the upload to complete; 0: it returns once the run is on disk; auto: as long as the upload advances, 60 at most, in containers and under schedulers, else 0"),
    Setting("stats_disabled", "TRACKER_STATS_DISABLED", bool, False, "collect no system metrics"),
    Setting("stats_sample_interval", "TRACKER_STATS_SAMPLE_INTERVAL", float, 2.0, "seconds between samples of system metrics"),
    Setting("stats_average_over", "TRACKER_STATS_AVERAGE_OVER", float, 30.0, "seconds over which samples are averaged into one logged row"),
    Setting("stats_sources", "TRACKER_STATS_SOURCES", list, None, "the sources of system metrics, separated by commas: cpu, memory, disk, network, process, nvidia; default: all"),
)  # fmt: skip
BY_NAME = {s.name: s for s in SETTINGS}
_SOURCES = ("cpu", "memory", "disk", "network", "process", "nvidia")
PARTS = ("command", "variables", "host", "packages", "git", "diff", "untracked")
CHOSEN = {"stats_sources": _SOURCES, "capture": PARTS}  # lists of words; "none" chooses none of them
WORDS = ("mode", "resume", "reinit", "console", *CHOSEN)  # in which capitals do not matter
SWITCHED = {"resume": ("allow", "never"), "reinit": ("finish_previous", "return_previous")}  # what true and false mean
POSITIVE = (
    "resume_timeout",
    "live_interval",
    "upload_interval",
    "upload_timeout",
    "stats_sample_interval",
    "stats_average_over",
)
