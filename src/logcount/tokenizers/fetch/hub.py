"""Fetches a tokenizer from the Hugging Face hub, at one commit.

`HF_ENDPOINT`, `HF_TOKEN` and the hub client's other variables are honoured; no token reaches a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logcount.errors import LogcountError, Misconfigured, Unreadable
from logcount.tokenizers.fetch.files import copy_tokenizer, is_needed

if TYPE_CHECKING:
    from pathlib import Path

    from logcount.tokenizers.fetch.origins import HubOrigin


def fetch_from_hub(origin: HubOrigin, *, into: Path, scratch: Path) -> str:
    """Bring a tokenizer's files into a folder; return the commit that they are of.

    Raises:
        Misconfigured: the repository, the revision or the access is wrong.
        Unreadable: the hub cannot be reached.

    """
    from huggingface_hub import HfApi, constants  # noqa: PLC0415  (half a second; only fetching needs it)

    if constants.HF_HUB_OFFLINE:
        raise Misconfigured(f"{origin.text} cannot be fetched while HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set")
    try:
        api = HfApi(library_name="logcount")
        info = api.model_info(origin.repo, revision=origin.revision)
        if info.sha is None:
            raise Unreadable(f"the hub does not say which commit {origin.text} is")
        names = [sibling.rfilename for sibling in info.siblings or () if is_needed(sibling.rfilename)]
        for name in names:
            api.hf_hub_download(origin.repo, name, revision=info.sha, local_dir=scratch)
    except LogcountError:
        raise
    except Exception as error:
        raise _ours(error, origin, constants.ENDPOINT) from error
    copy_tokenizer(scratch, into, origin=origin.text)
    return info.sha


def _ours(error: Exception, origin: HubOrigin, endpoint: str) -> LogcountError:
    """Turn an error of the hub's client into ours, by its type and status alone."""
    from huggingface_hub import errors  # noqa: PLC0415

    repo = origin.repo
    access = f"{repo} is gated: accept its terms on the hub and set HF_TOKEN to a token of that account"
    unknown = f"the hub knows no {repo}, or it is private: then set HF_TOKEN to a token that may read it"
    # GatedRepoError and DisabledRepoError are kinds of the errors below them: the order decides.
    table: tuple[tuple[type[Exception], LogcountError], ...] = (
        (errors.GatedRepoError, Misconfigured(access)),
        (errors.RepositoryNotFoundError, Misconfigured(unknown)),
        (errors.RevisionNotFoundError, Misconfigured(f'{repo} has no revision "{origin.revision}"')),
        (errors.HFValidationError, Misconfigured(f'"{repo}" cannot be a name on the hub: ORG/NAME is expected')),
    )
    for kind, ours in table:
        if isinstance(error, kind):
            return ours
    status = _status(error)
    if status in {401, 403}:
        return Misconfigured(f"the hub refuses access to {repo} (status {status}): is HF_TOKEN valid?")
    if status is not None:
        return Unreadable(f"the hub at {endpoint} answered with status {status} for {repo}: try again")
    return Unreadable(f"{repo} could not be fetched from {endpoint} ({type(error).__name__}): is it reachable?")


def _status(error: BaseException) -> int | None:
    """Return the status of the answer that lies behind an error; None where there was no answer."""
    behind: BaseException | None = error
    while behind is not None:
        response: Any = getattr(behind, "response", None)
        if response is not None:
            return int(response.status_code)
        behind = behind.__cause__
    return None
