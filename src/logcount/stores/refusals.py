"""Explains Blob storage's errors to the operator, by error code: which role, network or setting to correct."""

from __future__ import annotations

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

CONTAINER_NOT_FOUND = "ContainerNotFound"
_ROLE = "give this identity the role Storage Blob Data Contributor on it (it takes hold within ten minutes)"
_BY_CODE = {
    "AuthorizationPermissionMismatch": f"access is refused: {_ROLE}",
    "InsufficientAccountPermissions": f"access is refused: {_ROLE}",
    "AuthorizationFailure": f"access is refused: let this network through the account's firewall, or {_ROLE}",
    "AuthenticationFailed": "the key or the SAS is not accepted: is it this account's, current, and the clock right?",
    "InvalidAuthenticationInfo": "the token is not accepted: is the identity of the account's own tenant?",
    "KeyBasedAuthenticationNotPermitted": f"the account takes no keys: use an identity, and {_ROLE}",
    "AuthorizationProtocolMismatch": "the SAS allows another protocol only",
    "AuthorizationSourceIPMismatch": "the SAS is for another address",
    "AuthorizationServiceMismatch": "the SAS is for another service: blobs are needed",
    "AuthorizationResourceTypeMismatch": "the SAS must be for objects and containers",
    "UnauthorizedBlobOverwrite": "the SAS or role must allow to write, not only to create",
    "NoAuthenticationInformation": "the account asks for a credential",
    "PublicAccessNotPermitted": "the account asks for a credential",
    "AccountIsDisabled": "the storage account is disabled",
    CONTAINER_NOT_FOUND: "there is no such container: make it, or name another",
    "ContainerBeingDeleted": "the container is being deleted",
    "BlobImmutableDueToPolicy": "the container's immutability policy forbids to write over an object: use another one",
    "ServerBusy": "the service is busy",
    "OperationTimedOut": "the service took too long",
}
_BY_STATUS = {
    401: "the credential is not accepted",
    403: f"access is refused: {_ROLE}",
    404: "the service does not know what was asked for: is this the account's blob endpoint?",
    429: "the service is busy",
}


def code_of(error: AzureError | OSError) -> str:
    """Return the service's own code for an error, or nothing."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def describe(error: AzureError | OSError) -> str:
    """Return the cause and what to correct, without the error's own text, which may contain a SAS or a header."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status:
        code = code_of(error)
        why = _BY_CODE.get(code) or _BY_STATUS.get(status) or "the service answers with an error"
        return f"{why} (HTTP {status}{code and ', ' + code})"
    if isinstance(error, ClientAuthenticationError):
        return "no credential is available: is an identity assigned, and AZURE_CLIENT_ID that identity's?"
    return f"cannot be reached, or did not answer in time ({type(error).__name__})"
