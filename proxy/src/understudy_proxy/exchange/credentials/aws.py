"""AWS Signature Version 4, by AWS' own library: keys of a Secret, or of the place where the proxy runs.

The library signs and finds keys; when it does what is decided here, because it would do it in the way of requests.
"""

import asyncio
import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from yarl import URL

from understudy_api.config import AWSIdentity
from understudy_proxy.exchange.credentials.kept import Kept, Lease, NotGiven
from understudy_proxy.exchange.credentials.libraries import library
from understudy_proxy.exchange.credentials.protocol import UnusableIdentity
from understudy_proxy.exchange.credentials.tokens import fits_a_header

_EXTRA = "aws"
_SERVICE = "bedrock"
_LARGE = 256 * 1024
"""Bytes that take some 0.2 to 1 ms to hash; more are hashed in a thread."""
_LOOK_AGAIN_SECONDS = 60.0
_HELD_SECONDS = 240.0
"""The library gives out no keys that run out within ten minutes unless they never last longer."""
_CALL_SECONDS = 4.0


class AWSCredentials:
    """Signs each request."""

    def __init__(self, identity: AWSIdentity, secrets: Mapping[str, str]) -> None:
        """Sign for `identity`.

        Raises:
            UnusableIdentity: botocore is not installed, or the keys are none.
        """
        self._region = identity.region
        self._signer = library("botocore.auth", extra=_EXTRA).SigV4Auth
        self._request = library("botocore.awsrequest", extra=_EXTRA).AWSRequest
        self._static: Any = None
        if identity.access_key_id is not None and identity.secret_access_key is not None:
            key, secret = secrets[identity.access_key_id.name], secrets[identity.secret_access_key.name]
            token = secrets[identity.session_token.name] if identity.session_token else None
            if not fits_a_header(f"{key}{token or ''}"):
                raise UnusableIdentity("its AWS keys hold characters that no header carries")
            self._static = library("botocore.credentials", extra=_EXTRA).Credentials(key, secret, token)
        self._own = Kept(_OwnKeys(identity).fetch, what="AWS keys")

    async def headers(self, method: str, url: URL, body: bytes, *, now: float) -> tuple[tuple[str, str], ...]:
        """The signature, and what it speaks of beside method, URL and body."""
        keys = self._static or await self._own.get(now)
        digest = hashlib.sha256(body) if len(body) < _LARGE else await asyncio.to_thread(hashlib.sha256, body)
        return self._signed(method, url, digest.hexdigest(), keys=keys, now=now)

    def _signed(self, method: str, url: URL, digest: str, *, keys: Any, now: float) -> tuple[tuple[str, str], ...]:
        """As `SigV4Auth.add_auth` does it, with the time and the hash given."""
        signer = self._signer(keys, _SERVICE, self._region)
        timestamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        headers = {"x-amz-content-sha256": digest, "x-amz-date": timestamp}
        if keys.token:
            headers["x-amz-security-token"] = keys.token
        request = self._request(method, str(url), headers=headers)
        request.context["timestamp"] = timestamp
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        names = signer.signed_headers(signer.headers_to_sign(request))
        signature = signer.signature(to_sign, request)
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, Signature={signature}"
        )
        return (*headers.items(), ("authorization", authorization))


class _OwnKeys:
    """The keys of the proxy's environment: IRSA, pod identity, an instance's role, or variables."""

    def __init__(self, identity: AWSIdentity) -> None:
        self._region = identity.region
        self._role = identity.role_arn
        self._found: Any = None

    def fetch(self, now: float) -> Lease[Any]:
        """Keys that hold for some minutes; the library renews what it has in time. Blocks."""
        if self._found is None:
            self._found = self._find()
        if self._found is None:
            raise NotGiven("the proxy's environment has none: set up IRSA or pod identity for its service account")
        keys = self._found.get_frozen_credentials()
        if not fits_a_header(f"{keys.access_key}{keys.token or ''}"):
            raise NotGiven("those that were given hold characters that no header carries")
        return Lease(keys, renew_at=now + _LOOK_AGAIN_SECONDS, until=now + _HELD_SECONDS)

    def _find(self) -> Any:
        session = library("botocore.session", extra=_EXTRA).Session()
        config = library("botocore.config", extra=_EXTRA).Config(
            connect_timeout=_CALL_SECONDS, read_timeout=_CALL_SECONDS, retries={"total_max_attempts": 2}
        )
        session.set_default_client_config(config)
        session.set_config_variable("region", self._region)
        return session.get_credentials() if self._role is None else self._in_role(session)

    def _in_role(self, session: Any) -> Any:
        """The role, by the token of the proxy's service account, else by the keys that the proxy has."""
        credentials = library("botocore.credentials", extra=_EXTRA)
        token_file = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
        fetcher: Any
        if token_file:
            loader = library("botocore.utils", extra=_EXTRA).FileWebIdentityTokenLoader(token_file)
            fetcher = credentials.AssumeRoleWithWebIdentityCredentialFetcher(
                client_creator=session.create_client, web_identity_token_loader=loader, role_arn=self._role
            )
        else:
            source = session.get_credentials()
            if source is None:
                return None
            fetcher = credentials.AssumeRoleCredentialFetcher(
                client_creator=session.create_client, source_credentials=source, role_arn=self._role
            )
        return credentials.DeferredRefreshableCredentials(fetcher.fetch_credentials, method="assume-role")
