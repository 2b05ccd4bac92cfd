"""Provide the real server of the core's tests to tests that upload."""

from __future__ import annotations

from tests.core.conftest import real_server, server

__all__ = ["real_server", "server"]
