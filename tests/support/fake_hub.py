"""A hub on this machine: as much of the Hugging Face hub's HTTP API as an upload by huggingface_hub 2.4 needs.

It keeps what arrives. Large files come by Git LFS (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md), as
huggingface_hub sends them with HF_HUB_DISABLE_XET.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

OWNER, TOKEN, READER = "mika", "hf_that_may_write", "hf_that_may_read"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """What the hub knows of one."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    "Their messages."


@dataclass
class FakeHub:
    """The state of a hub."""

    url: str
    repos: dict[str, Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    "SHA-256 -> content, as Git LFS has it."
    asked: list[str] = field(default_factory=list)
    "Method and path of each request."
    breaks: str = ""
    "Requests of such a path are answered with 501."


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """A hub that listens on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = respond(hub, self.command, self.path, self.headers.get("Authorization", ""), body)
            sent = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            if status >= 400:
                self.send_header("X-Error-Code", "RepoNotFound" if status == 404 else "")
                self.send_header("X-Error-Message", content["error"])
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            """Nothing on stderr, which tests read."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def respond(hub: FakeHub, method: str, path: str, sent_token: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer."""
    if hub.breaks and hub.breaks in path:
        return 501, {"error": "the disk of the hub is full"}
    if path.startswith("/large/"):  # its address is the permission
        hub.large[hashlib.sha256(body).hexdigest()] = body
        return 200, {}
    token = sent_token.removeprefix("Bearer ")
    if token not in (TOKEN, READER):
        return 401, {"error": "Invalid credentials in Authorization header"}
    if method != "GET" and token != TOKEN:
        return 403, {"error": "This token may only read"}
    if path == "/api/validate-yaml":
        return 200, {"errors": [], "warnings": []}
    if path == "/api/repos/create":
        return create(hub, json.loads(body))
    owner, name, *rest = path.removeprefix("/api/models").strip("/").split("/")
    repo = hub.repos.get(f"{owner}/{name}".removesuffix(".git"))
    if repo is None:
        return 404, {"error": "Repository not found"}
    match method, rest:
        case "GET", []:
            return 200, {"id": f"{owner}/{name}", "sha": COMMIT, "private": repo.private, "siblings": []}
        case "POST", ["preupload", "main"]:
            return 200, {"files": [upload_mode(one["path"]) for one in json.loads(body)["files"]]}
        case "POST", ["info", "lfs", "objects", "batch"]:
            return 200, {"objects": [upload_action(hub, one) for one in json.loads(body)["objects"]]}
        case "POST", ["commit", "main"]:
            commit(hub, repo, [json.loads(line) for line in body.splitlines()])
            return 200, {"commitUrl": f"{hub.url}/{owner}/{name}/commit/{COMMIT}", "commitOid": COMMIT}
    raise NotImplementedError(f"{method} {path}")


def create(hub: FakeHub, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    if asked["organization"] != OWNER:
        return 403, {"error": "You don't have the rights to create a model under this namespace"}
    repo = f"{OWNER}/{asked['name']}"
    hub.repos[repo] = Repository(private=asked["visibility"] == "private")
    return 200, {"url": f"{hub.url}/{repo}"}


def upload_mode(name: str) -> dict[str, Any]:
    mode = "lfs" if name.endswith(".safetensors") else "regular"
    return {"path": name, "uploadMode": mode, "shouldIgnore": False}


def upload_action(hub: FakeHub, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {**asked, "actions": {"upload": {"href": f"{hub.url}/large/{asked['oid']}"}}}


def commit(hub: FakeHub, repo: Repository, lines: list[dict[str, Any]]) -> None:
    for line in lines:
        value = line["value"]
        match line["key"]:
            case "header":
                repo.commits.append(value["summary"])
            case "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            case "lfsFile":
                repo.files[value["path"]] = hub.large[value["oid"]]
