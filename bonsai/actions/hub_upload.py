"""Upload an exported folder to the Hugging Face hub as one commit.

    target = find_target("mika/cats", public=False)      # asks the hub, changes nothing
    url = upload(Path("mika"), target, "27ec5a4429a6798d")

Endpoint and token are those of huggingface_hub: HF_ENDPOINT, and HF_TOKEN or the login of `hf auth login`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bonsai.errors import InputError, UsageError

_PATIENCE = 20
"Seconds that the hub may take to say what it knows of a repository."


@dataclass(frozen=True, slots=True)
class HubTarget:
    """A repository to upload to."""

    repo: str
    "`owner/name`."
    url: str
    public: bool
    exists: bool
    "It has a commit already, so the upload updates it."


def find_target(repo: str, public: bool) -> HubTarget:
    """The repository as the hub knows it.

    Raises UsageError for a malformed name and for a repository that is private where `public` is asked for, or the
    other way round; InputError when the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is of its HTTP library
        HFValidationError,
        HTTPError,
        RepositoryNotFoundError,
    )

    if "/" not in repo:
        raise UsageError("export.hub_no_name", repo=repo)
    api = HfApi(token=True)
    url = f"{api.endpoint}/{repo}"
    try:
        found = api.model_info(repo, timeout=_PATIENCE)
    except HFValidationError:
        raise UsageError("export.hub_no_name", repo=repo) from None
    except (HTTPError, OSError) as error:
        if isinstance(error, RepositoryNotFoundError) and error.response.status_code == 404:
            return HubTarget(repo, url, public, exists=False)
        raise _in_words(error, repo, api.endpoint) from error
    if public == bool(found.private):
        raise UsageError(f"export.hub_is_{'private' if found.private else 'public'}", repo=repo)
    return HubTarget(repo, url, public, exists=True)


def files_of(folder: Path) -> list[Path]:
    """What an upload sends: everything in the folder."""
    return sorted(file for file in folder.rglob("*") if file.is_file())


def upload(folder: Path, target: HubTarget, adapter: str) -> str:
    """Make the repository if need be, then one commit; returns its address.

    An upload that breaks off leaves no commit, at most a repository without files. Raises InputError.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of its HTTP library

    api = HfApi(token=True)
    files = [CommitOperationAdd(file.relative_to(folder).as_posix(), file) for file in files_of(folder)]
    try:
        if not target.exists:
            api.create_repo(target.repo, private=not target.public)
        # not upload_folder, which makes several commits of a slow upload
        api.create_commit(target.repo, files, commit_message=f"Bonsai adapter {adapter}")
    except (HTTPError, OSError, RuntimeError, ValueError) as error:  # the last two: what storing large files raises
        raise _in_words(error, target.repo, api.endpoint) from error
    return target.url


def _in_words(error: Exception, repo: str, endpoint: str) -> InputError:
    from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is of its HTTP library
        HfHubHTTPError,
        HTTPError,
        LocalTokenNotFoundError,
        OfflineModeIsEnabled,
    )

    match error:
        case LocalTokenNotFoundError():
            return InputError("export.hub_no_token")
        case OfflineModeIsEnabled():
            return InputError("export.hub_offline")
        case HfHubHTTPError() if error.response.status_code == 401:
            return InputError("export.hub_wrong_token", endpoint=endpoint)
        case HfHubHTTPError() if error.response.status_code == 403:
            return InputError("export.hub_forbidden", repo=repo)
        case HTTPError() if not isinstance(error, HfHubHTTPError):
            return InputError("export.hub_unreachable", endpoint=endpoint)
        case _:
            reason = " ".join((getattr(error, "server_message", None) or str(error)).split())
            return InputError("export.hub_refused", repo=repo, reason=reason)
