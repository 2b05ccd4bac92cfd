"""The real server of the core's tests, for those that upload."""

from __future__ import annotations

from tests.core.conftest import real_server, server

__all__ = ["real_server", "server"]
