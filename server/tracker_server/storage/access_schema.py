"""The tables of accounts, teams, keys, sessions, links and the audit log; `tracker_server.access` works on them.

They are empty in personal mode. A server with at least one account is a team's server.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from .schema import BIG, metadata

access_version = Table(
    "access_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("version", Integer, nullable=False),  # grows with each change of these tables, to invalidate the snapshot
)

entities = Table(
    "entities",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("skeleton", Text, nullable=False, unique=True),  # both are how the name looks: see entity_names.py
    Column("written", Text, nullable=False),
    # account, team; removed: its runs are elsewhere, its name stays taken; former: of a time before the server was
    # personal again, its name is free
    Column("kind", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("quota", BIG),  # bytes of files; None for no limit
    Index("entities_written", "written"),
    sqlite_autoincrement=True,  # ids of removed accounts are never reused, since runs and edits name them
)

entity_aliases = Table(
    "entity_aliases",
    metadata,
    Column("name", Text, primary_key=True),  # a former name
    Column("skeleton", Text, nullable=False),
    Column("written", Text, nullable=False),
    Column("entity", Integer, nullable=False),
    Index("entity_aliases_skeleton", "skeleton"),
    Index("entity_aliases_written", "written"),
    Index("entity_aliases_entity", "entity"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("entity", Integer, primary_key=True, autoincrement=False),  # the account's number is its entity's
    Column("state", Text, nullable=False),  # invited, active, disabled
    Column("admin", Integer, nullable=False),  # 1 for a server admin
    Column("password", Text),  # argon2's encoded hash; None if it has none
    Column("email", Text),
    Column("seen", Float),
)

identities = Table(  # how an account signs in with an OpenID Connect provider
    "identities",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account", Integer, nullable=False),
)

one_time_links = Table(  # for the first sign-in and for a forgotten password
    "one_time_links",
    metadata,
    Column("digest", Text, primary_key=True),  # sha256 of the secret
    Column("account", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("used", Float),
)

members = Table(
    "members",
    metadata,
    Column("team", Integer, primary_key=True, autoincrement=False),
    Column("account", Integer, primary_key=True, autoincrement=False),
    Column("role", Text, nullable=False),  # viewer, member, admin
    Column("since", Float, nullable=False),
    Column("source", Text, nullable=False, server_default="manual"),  # or the provider whose group claim gave it
    Index("members_account", "account"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),  # the 8 characters after `trk_`
    Column("digest", Text, nullable=False),  # sha256 of the whole key
    Column("owner", Integer, nullable=False),  # the account, or the team of a service key
    Column("creator", Integer),  # the account that made it; None for the command line
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),  # read, log, all
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("used", Float),
    Column("revoked", Float),
    Index("api_keys_owner", "owner"),
)

account_sessions = Table(  # browsers of accounts; those of the owner in personal mode are in a file: see sessions.py
    "account_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("cookie", Text, nullable=False, unique=True),  # hashes
    Column("page", Text, nullable=False),
    Column("account", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Index("account_sessions_account", "account"),
)

share_links = Table(
    "share_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),  # sha256 of the token
    Column("project", Integer, nullable=False),
    Column("kind", Text, nullable=False),  # project, run, view, report
    Column("target", Text),  # the run's id, the view's name or the report's id
    Column("creator", Integer),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("revoked", Float),
    Column("opened", Integer, nullable=False, server_default="0"),  # how often a browser has opened it
    Column("last_opened", Float),
    Index("share_links_project", "project"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time", Float, nullable=False),
    Column("actor", Text, nullable=False),  # the account's name, `key ID`, `command line`, or the name that was tried
    Column("action", Text, nullable=False),  # such as `sign-in failed`, `key added`
    Column("entity", Text),  # the account or team that it concerns, whose admins may see it
    Column("subject", Text, nullable=False),  # what it was done to, as text
    Column("address", Text),  # from where; None for the command line
    Index("audit_log_time", "time"),
    Index("audit_log_entity", "entity", "time"),
)

project_aliases = Table(  # former names of projects
    "project_aliases",
    metadata,
    Column("entity", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("project", Integer, nullable=False),
)

run_aliases = Table(  # where runs were before they were moved to another project
    "run_aliases",
    metadata,
    Column("project", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("run", Integer, nullable=False),
)

possessions = Table(  # who has sent a file whole: its account, or the team of a service key
    "possessions",
    metadata,
    Column("entity", Integer, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Index("possessions_digest", "digest"),
)

file_sizes = Table(  # of files that accounts have sent, and of others once somebody asks how much an entity uses
    "file_sizes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("size", BIG, nullable=False),
)
