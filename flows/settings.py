"""The environment in which Prefect runs for one home: ports, password, folders. Imports no Prefect."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from bonsai.config.settings import PrefectSettings
from bonsai.system.processes import CODE, python_path


def url_of(port: int) -> str:
    """The URL of a server on this port."""
    return f"http://{HOST}:{port}"


def listens(port: int) -> bool:
    """Whether a server listens on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


HOST = "127.0.0.1"
_SHIPPED = Path(__file__).with_name("prefect.yaml")
DEPLOYMENTS = _SHIPPED if _SHIPPED.is_file() else CODE / "prefect.yaml"
"What `bonsai up` deploys: at the top of a clone; a wheel carries its copy in this package."


def folder(home: Path) -> Path:
    """Prefect's own home inside ours."""
    made = home / "prefect"
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


def auth_file(home: Path) -> Path:
    """Where the server's password lies."""
    return folder(home) / "auth"


def auth_string(home: Path) -> str:
    """The server's password: random, made once, readable by its owner alone."""
    path = auth_file(home)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8")
    with os.fdopen(descriptor, "w") as file:
        file.write(f"bonsai:{secrets.token_urlsafe(32)}")
    return path.read_text("utf-8")


def environment(home: Path, settings: PrefectSettings, environ: Mapping[str, str], url: str = "") -> dict[str, str]:
    """`environ` for everything Prefect starts; without `url`, a flow starts a server of its own.

    A person's own PREFECT_* variables are dropped: a home's nights never go to another server by accident.
    """
    auth = auth_string(home)
    kept = {name: value for name, value in environ.items() if not name.startswith("PREFECT_")}
    ours = {
        **python_path(environ),
        "PYTHONSAFEPATH": "1",  # `CODE` is the current folder; `site-packages` must not go before the standard library
        "BONSAI_HOME": str(home),
        "BONSAI_CODE": str(CODE),
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(folder(home)),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_API_AUTH_STRING": auth,
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(settings.server_startup_seconds),
        # Leases on disk: after a restart of the server a deployment's only slot is not taken for ever.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_WORKER_QUERY_SECONDS": str(settings.worker_poll_seconds),
        "PREFECT_LOGGING_LEVEL": "INFO" if url else "WARNING",
    }
    if url:
        ours |= {
            "PREFECT_API_URL": f"{url}/api",
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": url,
            "PREFECT_SERVER_UI_API_URL": f"{url}/api",
        }
    return kept | ours
