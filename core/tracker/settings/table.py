"""List all settings: names, variables, types, defaults, and the words that some of them accept."""

from __future__ import annotations

from typing import Any, NamedTuple

MODES = ("online", "offline", "disabled")
CONSOLES = ("off", "wrap", "redirect")


class Setting(NamedTuple):
    """One setting: its name in files and in `init(settings=…)`, variable, type, default, and one line about it."""

    name: str
    variable: str
    kind: type
    default: Any
    about: str


SETTINGS = (
    Setting("mode", "TRACKER_MODE", str, "online", "online, offline (alias dryrun) or disabled"),
    Setting("project", "TRACKER_PROJECT", str, "uncategorized", "the project that runs belong to"),
    Setting("entity", "TRACKER_ENTITY", str, None, "the user or team that owns the project; default: your login name"),
    Setting("base_url", "TRACKER_BASE_URL", str, None, "address of the server; default: your own server on this machine"),
    Setting("api_key", "TRACKER_API_KEY", str, None, "key for the server (the token that `tracker server` prints)"),
    Setting("dir", "TRACKER_DIR", str, None, "where run directories are made, in `<dir>/.tracker/runs`; default: the working directory"),
    Setting("id", "TRACKER_RUN_ID", str, None, "id of the run; default: random"),
    Setting("name", "TRACKER_NAME", str, None, "name of the run; default: two readable random words and a number"),
    Setting("group", "TRACKER_RUN_GROUP", str, None, "group of runs that belong together"),
    Setting("job_type", "TRACKER_JOB_TYPE", str, None, "task of the run in its group, such as train or eval"),
    Setting("tags", "TRACKER_TAGS", list, None, "tags of the run; separated by commas in the variable"),
    Setting("notes", "TRACKER_NOTES", str, None, "notes about the run"),
    Setting("color", "TRACKER_COLOR", str, None, "colour of the run's lines, as #rrggbb; default: the next one of the palette"),
    Setting("resume", "TRACKER_RESUME", str, None, "what to do if the id exists: allow, must, never or auto"),
    Setting("resume_timeout", "TRACKER_RESUME_TIMEOUT", float, 10.0, "seconds that `init` waits for the server if the run to resume is not in this directory"),
    Setting("reinit", "TRACKER_REINIT", str, None, "what `init` does while a run is active: return_previous, finish_previous or create_new; default: in scripts return_previous unless another run is named, in notebooks finish_previous"),
    Setting("silent", "TRACKER_SILENT", bool, False, "print nothing"),
    Setting("save_code", "TRACKER_SAVE_CODE", bool, False, "store the main script or notebook with the run"),
    Setting("capture", "TRACKER_CAPTURE", list, None, "what is stored about how the run was started: some of command, variables, host, packages, git, diff, untracked; default: all"),
    Setting("capture_variables", "TRACKER_CAPTURE_VARIABLES", list, None, "names of further environment variables to store"),
    Setting("capture_limit", "TRACKER_CAPTURE_LIMIT", float, 1.0, "most MiB of an untracked or source file; larger ones are not stored"),
    Setting("disable_code", "TRACKER_DISABLE_CODE", bool, False, "store nothing of the code: no commit, diff, untracked file or source file"),
    Setting("disable_git", "TRACKER_DISABLE_GIT", bool, False, "do not run git"),
    Setting("ignore_globs", "TRACKER_IGNORE_GLOBS", list, None, "names of captured files that stay on this machine, such as *.patch"),
    Setting("console", "TRACKER_CONSOLE", str, "wrap", "how to capture what the process prints: off, wrap or redirect"),
    Setting("console_limit", "TRACKER_CONSOLE_LIMIT", float, 64.0, "most MiB of printed lines stored of each process; of the rest, only the last lines"),
    Setting("sync_tensorboard", "TRACKER_SYNC_TENSORBOARD", bool, False, "follow the TensorBoard event files that the process writes"),
    Setting("allow_stop", "TRACKER_ALLOW_STOP", bool, None, "whether the run may be stopped through the server; default: if the server is on this machine"),
    Setting("alert_interval", "TRACKER_ALERT_INTERVAL", float, 60.0, "seconds after an alert in which others with its title are dropped"),
    Setting("live_interval", "TRACKER_LIVE_INTERVAL", float, 10.0, "seconds between checks of files saved with the policy live"),
    Setting("fsync_interval", "TRACKER_FSYNC_INTERVAL", float, 1.0, "seconds between the agent's flushes of the log to disk; a power cut loses no more than that"),
    Setting("upload_interval", "TRACKER_UPLOAD_INTERVAL", float, 1.0, "seconds between the agent's uploads"),
    Setting("upload_timeout", "TRACKER_UPLOAD_TIMEOUT", float, 30.0, "seconds after which an unanswered request is repeated"),
    Setting("drain_timeout", "TRACKER_DRAIN_TIMEOUT", float, 3600.0, "seconds for which the agent tries to upload after training has ended; `tracker sync` uploads the rest"),
    Setting("finish_timeout", "TRACKER_FINISH_TIMEOUT", float, "auto", "most seconds for which `finish` waits for the upload; 0: it returns once the run is on disk; auto: in containers and under schedulers up to 60 while the upload advances, else 0"),
    Setting("stats_disabled", "TRACKER_STATS_DISABLED", bool, False, "do not collect system metrics"),
    Setting("stats_sample_interval", "TRACKER_STATS_SAMPLE_INTERVAL", float, 2.0, "seconds between samples of system metrics"),
    Setting("stats_average_over", "TRACKER_STATS_AVERAGE_OVER", float, 30.0, "seconds over which samples are averaged into one logged row"),
    Setting("stats_sources", "TRACKER_STATS_SOURCES", list, None, "sources of system metrics: some of cpu, memory, disk, network, process, nvidia; default: all"),
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
