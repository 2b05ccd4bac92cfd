"""`tracker tensorboard-import`: import event files as runs."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.errors import SettingsError
from tracker.settings import Settings

from .importer import Importer, Plan, Source
from .logdir import Selection, is_event_file
from .report import TerminalView, limited, plan_table, plural, remarks, result_table, skipped_lines
from .uploads import Uploads


@click.command("tensorboard-import")
@click.argument("logdirs", nargs=-1, required=True, metavar="LOGDIR...")
@click.option("--project", help="The project of the runs. Default: the one of this directory.")
@click.option("--entity", help="The user or team that owns the project.")
@click.option("--name", help="Name of LOGDIR's own run; prefix for others.")
@click.option("--group", help="The group of the runs.")
@click.option("--include", multiple=True, metavar="GLOB", help="Import only runs whose path matches; repeatable.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Import no runs whose path matches; repeatable.")
@click.option("--single-run", is_flag=True, help="Make one run of all directories; paths prefix its keys.")
@click.option("--identity", help="Identify the runs by this text instead of LOGDIR's path.")
@click.option("--dry-run", is_flag=True, help="Show what would be imported, and import nothing.")
@click.option("--offline", is_flag=True, help="Do not upload; run `tracker sync` later.")
@click.option("--follow", is_flag=True, help="Keep importing what is written, until interrupted.")
@click.option(
    "--until-idle", type=float, metavar="SECONDS", help="With --follow: stop if nothing new comes for so long."
)
def tensorboard_import(
    logdirs: tuple[str, ...],
    project: str | None,
    entity: str | None,
    name: str | None,
    group: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    single_run: bool,
    identity: str | None,
    dry_run: bool,
    offline: bool,
    follow: bool,
    until_idle: float | None,
) -> None:
    """Import TensorBoard event files as runs.

    Each directory under LOGDIR that has event files becomes a run, named by its path. If you run the command again, it
    imports only what is new.

    The exit status is 0 if everything was imported (and uploaded), 1 if something was not, and 2 if the usage is wrong
    or there is nothing to import.
    """
    if until_idle is not None and not follow:
        raise click.UsageError("--until-idle needs --follow")
    if identity is not None and len(logdirs) > 1:
        raise click.UsageError("--identity belongs to one LOGDIR; import them one by one")
    settings = Settings({"project": project, "entity": entity})
    if settings.mode == "disabled":
        raise click.UsageError(f"tracking is off ({settings.sources['mode']}); `tracker on` turns it on in a directory")
    sources = [
        _parse_source(logdir, identity, Selection(include, exclude), follow) for logdir in dict.fromkeys(logdirs)
    ]
    root = Path(settings.dir or ".")
    plan = Plan(sources, root, settings.entity, settings.project, name, group, single_run)
    jobs, skipped = plan.find_jobs()
    show = TerminalView()
    for line in skipped_lines(skipped):
        show.say(line, "dim")
    if not jobs and not follow:
        raise click.UsageError(_no_event_files(logdirs, include, exclude))
    if dry_run:
        show.console.print(plan_table(jobs.values(), show.console.width))
        show.say(f"{plural(len(jobs), 'run')} would be imported into {plan.entity}/{plan.project}")
        return
    uploads = None if offline or settings.mode == "offline" else _uploads(show)
    importer = Importer(plan, uploads, show)
    arrived = _import_and_upload(importer, uploads, show, follow, until_idle)
    if not importer.results:
        raise click.UsageError(_no_event_files(logdirs, include, exclude))
    show.console.print(result_table(importer.jobs, importer.results, show.console.width))
    for line in remarks(importer.jobs, importer.results):
        show.say(line)
    complete = all(result.complete for result in importer.results.values())
    runs = f"{plural(len(importer.results), 'run')} of {plan.entity}/{plan.project}"
    if not any(result.points or result.media for result in importer.results.values()):
        runs = f"nothing new in {runs}"
    where = root / ".tracker" / "runs"
    if uploads is None:
        show.say(f"{runs} in {where}; `tracker sync` uploads them")
    elif arrived:
        show.say(f"{runs} on {uploads.url}")
    else:
        for line in limited([f"not uploaded: {path.name}: {reason}" for path, reason in uploads.not_uploaded.items()]):
            show.say(line)
        show.say(f"{runs} in {where}; some are not uploaded yet. Nothing is lost: `tracker sync` uploads the rest")
    if not (complete and arrived):
        click.get_current_context().exit(1)


def _parse_source(given: str, identity: str | None, selection: Selection, follow: bool) -> Source:
    """Return the log directory, or the event file, that `given` names."""
    path = Path(given).expanduser()
    if "://" in given:
        raise click.UsageError(f"{given} is not on this machine; copy it here first")
    if path.is_file():
        if not is_event_file(path.name):
            raise click.UsageError(f"{given} is not an event file: the names of event files contain `tfevents`")
        path, selection = path.parent, selection._replace(only=path.name)
    elif not path.exists() and not follow:
        raise click.UsageError(f"{given} does not exist")
    path = path.resolve()
    return Source(path, identity if identity is not None else str(path), selection)


def _no_event_files(logdirs: tuple[str, ...], include: tuple[str, ...], exclude: tuple[str, ...]) -> str:
    chosen = " that match --include and --exclude" if include or exclude else ""
    return f"no event files{chosen} in {', '.join(logdirs)}; the names of event files contain `tfevents`"


def _uploads(show: TerminalView) -> Uploads:
    try:
        uploads = Uploads(lambda text: show.say(text, "yellow"))
    except SettingsError as error:
        raise click.UsageError(f"{error}, or import with --offline and upload later") from None
    uploads.start()
    return uploads


def _import_and_upload(
    importer: Importer, uploads: Uploads | None, show: TerminalView, follow: bool, until_idle: float | None
) -> bool:
    """Import, and tell whether everything is uploaded that should be."""
    with show:
        try:
            if follow:
                importer.follow(until_idle)
            else:
                importer.import_now()
            if uploads is not None:
                uploads.close()
                while uploads.is_alive():
                    show.uploading(uploads.sent, uploads.size)
                    uploads.join(0.1)
        except KeyboardInterrupt:
            raise click.ClickException("interrupted; run the same command again to continue") from None
    return uploads is None or not uploads.not_uploaded
