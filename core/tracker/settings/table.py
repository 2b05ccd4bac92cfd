"""List all settings: names, variables, types, defaults, and the words that some of them accept."""

from __future__ import annotations

from typing import Any, NamedTuple

MODES = ("online", "offline", "disabled")
CONSOLES = ("off", "wrap", "redirect")


class Setting(NamedTuple):
    """One setting: its name in files and in `init(settings=…)`, variable, type, default and meaning.

    `about` and `unset` are its row in docs/reference/settings.md, in Markdown; `unset` says what holds without a value
    if `default` is None.
    """

    name: str
    variable: str
    kind: type
    default: Any
    about: str
    unset: str = "none"


SETTINGS = (
    Setting("mode", "TRACKER_MODE", str, "online",
        "`online`; `offline` (alias `dryrun`): everything stays on disk until `tracker sync`; `disabled`: nothing is "
        "written, no process is started, all calls do nothing",
    ),
    Setting("project", "TRACKER_PROJECT", str, "uncategorized",
        "the project that runs belong to: 1–128 letters of any script, digits, spaces or `_ . -`, not starting with a "
        "dot. No slash, which stands between names",
    ),
    Setting("entity", "TRACKER_ENTITY", str, None,
        "the account or team that owns the project",
        unset="the account that `tracker login` signed in to, else your login name",
    ),
    Setting("base_url", "TRACKER_BASE_URL", str, None,
        "address of the server",
        unset="your own server on this machine, found by itself",
    ),
    Setting("api_key", "TRACKER_API_KEY", str, None,
        "key for the server: the token that `tracker server` prints",
        unset="that server's token",
    ),
    Setting("dir", "TRACKER_DIR", str, None,
        "run directories are made in `<dir>/.tracker/runs`",
        unset="the working directory",
    ),
    Setting("id", "TRACKER_RUN_ID", str, None,
        "id of the run, unique in its project: 1–64 letters, digits or `_ -`",
        unset="random",
    ),
    Setting("name", "TRACKER_NAME", str, None, "name of the run, for people", unset="random words and a number"),
    Setting("group", "TRACKER_RUN_GROUP", str, None, "group of runs that belong together, such as the parts of a job"),
    Setting("job_type", "TRACKER_JOB_TYPE", str, None,
        "the role of the run within its group, such as `train` or `eval`",
    ),
    Setting("tags", "TRACKER_TAGS", list, None, "tags of the run"),
    Setting("notes", "TRACKER_NOTES", str, None, "a note about the run"),
    Setting("color", "TRACKER_COLOR", str, None,
        "colour of the run's lines, as `#rrggbb`",
        unset="the next one of the palette",
    ),
    Setting("resume", "TRACKER_RESUME", str, None,
        "what to do if a run has the `id` already: `allow` continues it; `must` continues it and fails if there is "
        "none; `never` fails if there is one; `auto`, without an `id`, continues the newest run of this directory, "
        "project and program that ended unsuccessfully. Without the setting, the process joins the run beside the "
        "processes that are there",
    ),
    Setting("resume_timeout", "TRACKER_RESUME_TIMEOUT", float, 10.0,
        "seconds that `init` waits for the server, if the run to resume is not in this directory",
    ),
    Setting("reinit", "TRACKER_REINIT", str, None,
        "what `init` does while a run is active: `return_previous` returns it and says which arguments had no effect, "
        "`finish_previous` ends it first, `create_new` keeps both open. By default a script gets the active run, "
        "unless it names another one",
        unset="depends on the arguments of `init`; in notebooks `finish_previous`",
    ),
    Setting("silent", "TRACKER_SILENT", bool, False, "print nothing"),
    Setting("save_code", "TRACKER_SAVE_CODE", bool, False, "store the main script or notebook with the run"),
    Setting("capture", "TRACKER_CAPTURE", list, None,
        "what is stored about how the run was made: some of `command`, `variables`, `host`, `packages`, `git`, "
        "`diff`, `untracked`; or `none`",
        unset="all",
    ),
    Setting("capture_variables", "TRACKER_CAPTURE_VARIABLES", list, None,
        "names of further environment variables to keep",
    ),
    Setting("capture_limit", "TRACKER_CAPTURE_LIMIT", float, 1.0,
        "largest untracked or source file to keep, in MiB; 0 keeps no untracked files",
    ),
    Setting("disable_code", "TRACKER_DISABLE_CODE", bool, False,
        "store nothing of the code: no commit, diff, untracked file or source file",
    ),
    Setting("disable_git", "TRACKER_DISABLE_GIT", bool, False, "do not run git"),
    Setting("ignore_globs", "TRACKER_IGNORE_GLOBS", list, None,
        "captured files whose names match one of these globs, such as `*.patch`, are not uploaded; they stay in "
        "`local/` of the run directory",
    ),
    Setting("console", "TRACKER_CONSOLE", str, "wrap",
        "how to capture what the process prints: `off`, `wrap` (what Python prints) or `redirect` (also C extensions "
        "and children)",
    ),
    Setting("console_limit", "TRACKER_CONSOLE_LIMIT", float, 64.0,
        "MiB of printed lines to keep for each process; after that the last lines, and how much is missing",
    ),
    Setting("sync_tensorboard", "TRACKER_SYNC_TENSORBOARD", bool, False,
        "add to the run what the process writes to TensorBoard event files",
    ),
    Setting("allow_stop", "TRACKER_ALLOW_STOP", bool, None,
        "whether `Api().run(…).stop()` or the dashboard may stop the run: its agent then interrupts the process, like "
        "Ctrl-C",
        unset="`true` if the server is on this machine",
    ),
    Setting("alert_interval", "TRACKER_ALERT_INTERVAL", float, 60.0,
        "seconds after an alert during which repeats of its title are dropped",
    ),
    Setting("live_interval", "TRACKER_LIVE_INTERVAL", float, 10.0,
        "seconds between checks of files saved with the policy `live`",
    ),
    Setting("fsync_interval", "TRACKER_FSYNC_INTERVAL", float, 1.0,
        "seconds between flushes of the log to disk; a power cut loses at most this much, and the death of a "
        "process loses nothing",
    ),
    Setting("upload_interval", "TRACKER_UPLOAD_INTERVAL", float, 1.0, "seconds between uploads by the agent"),
    Setting("upload_timeout", "TRACKER_UPLOAD_TIMEOUT", float, 30.0,
        "seconds to wait for a response before trying again",
    ),
    Setting("drain_timeout", "TRACKER_DRAIN_TIMEOUT", float, 3600.0,
        "seconds that the agent keeps trying to upload after training has ended; `tracker sync` uploads what is left",
    ),
    Setting("finish_timeout", "TRACKER_FINISH_TIMEOUT", float, "auto",
        "seconds that `finish` waits for the upload to complete; with 0 it returns once the run is on disk. `auto` is "
        "0 on your own machine. In containers and under schedulers, which end the agent with your script, `auto` waits "
        "while the upload makes progress, at most 60 seconds. If several processes of this machine write to the run, "
        "`finish` also waits until they have ended. A script under `tracker run` does not wait: the command does",
    ),
    Setting("stats_disabled", "TRACKER_STATS_DISABLED", bool, False, "do not collect system metrics"),
    Setting("stats_sample_interval", "TRACKER_STATS_SAMPLE_INTERVAL", float, 2.0,
        "seconds between samples of system metrics",
    ),
    Setting("stats_average_over", "TRACKER_STATS_AVERAGE_OVER", float, 30.0,
        "seconds over which samples are averaged into one row",
    ),
    Setting("stats_sources", "TRACKER_STATS_SOURCES", list, None,
        "sources of system metrics: some of `cpu`, `memory`, `disk`, `network`, `process`, `nvidia`; or `none`",
        unset="all",
    ),
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
