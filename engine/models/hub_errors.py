"""What a hub's answer means for the person: a sentence for each way to be refused, and what is worth another try."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping

import urllib3

from engine.protocol.errors import AccessDenied, LaternaError, ModelMissing, NetworkFailed

MAX_WAIT = 3600.0
TOKEN_PAGE = "https://huggingface.co/settings/tokens"
PROXY_LOGIN = 407
_GOES_ON = "The download goes on where it was; check the network where it comes again."


class TryAgain(Exception):
    """A failure that may pass: ``error`` is what to say if it does not, ``after`` the seconds the server asks for.
    ``was_cut``: a connection that worked ended; the next one may work at once."""

    def __init__(self, error: LaternaError, after: float | None = None, *, was_cut: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after
        self.was_cut = was_cut


def refusal(
    status: int, headers: Mapping[str, str], message: str, *, repository: str, page: str, has_token: bool, what: str
) -> LaternaError | TryAgain:
    """``page`` is the repository's page, ``what`` names the thing asked for ("vae/config.json")."""
    code = headers.get("X-Error-Code", "")
    if status == PROXY_LOGIN:
        return _wants_login()
    if code == "RepoNotFound":
        return _not_found(repository, has_token)
    if status in (401, 403) or code == "GatedRepo":
        return _denied(status, code, message, repository, page, has_token)
    if status in (404, 410):
        if code == "RevisionNotFound":
            return ModelMissing(f"{repository} has no such version any more.", "Start the download again.")
        return ModelMissing(f"{repository} has no {what}.", "The repository may have changed: start again.")
    if status == 429:
        after = retry_after(headers)
        return TryAgain(NetworkFailed("The hub says that there were too many requests.", "Try again later."), after)
    if status >= 500 or status in (408, 425):
        error = NetworkFailed(f"The hub has trouble of its own (it answered {status}).", "Try again later.")
        return TryAgain(error, retry_after(headers))
    return NetworkFailed(f"The hub answered {status} for {what}.", "Try again later, or check HF_ENDPOINT.")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the server tells (``Retry-After`` in seconds or as a date, or ``RateLimit``'s ``t=``)."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return min(float(text), MAX_WAIT)
    if text:
        try:
            return min(max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time()), MAX_WAIT)
        except (ValueError, OverflowError):
            return None
    found = re.search(r";\s*t=(\d{1,9})", headers.get("RateLimit", ""))
    return min(float(found[1]), MAX_WAIT) if found else None


def no_connection(host: str, error: Exception) -> NetworkFailed | TryAgain:
    """What a request that got no answer means. ``error`` is urllib3's or the operating system's."""
    text = str(error)
    if isinstance(error, urllib3.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return NetworkFailed(
                f"The certificate that answers for {host} is not trusted: the connection may be listened to.",
                "Check the computer's clock. Where your organisation inspects connections, point SSL_CERT_FILE to its"
                " certificate.",
            )
        return TryAgain(
            NetworkFailed(
                f"The secure connection to {host} could not be made.", "Check the computer's clock, and the proxy."
            )
        )
    if isinstance(error, urllib3.exceptions.ProxyError):
        refused = re.search(r"Tunnel connection failed: (\d{3})", text)
        if refused and refused[1] == str(PROXY_LOGIN):
            return _wants_login()
        if refused and refused[1].startswith("4"):
            return NetworkFailed(
                f"The proxy refuses connections to {host} (it answered {refused[1]}).",
                "Ask whoever runs it, or use another proxy in HTTPS_PROXY.",
            )
        if "appears to only use HTTP" in text:
            return NetworkFailed(
                "The proxy speaks plain HTTP only.", "Write HTTPS_PROXY with http:// instead of https://."
            )
        return TryAgain(NetworkFailed("The proxy cannot be reached.", "Check HTTPS_PROXY and the network."))
    if isinstance(error, urllib3.exceptions.ReadTimeoutError | TimeoutError):
        return TryAgain(NetworkFailed(f"{host} sends nothing any more.", _GOES_ON))
    if isinstance(error, urllib3.exceptions.ProtocolError | ConnectionError):
        return TryAgain(NetworkFailed(f"The connection to {host} was cut.", _GOES_ON), was_cut=True)
    return TryAgain(
        NetworkFailed(
            f"There is no connection to {host}.", "Check the network and the proxy; the download goes on where it was."
        )
    )


def _wants_login() -> NetworkFailed:
    return NetworkFailed(
        "The proxy wants a login, or does not accept the one it got.",
        "Put user and password into HTTPS_PROXY: http://user:password@host:port.",
    )


def _not_found(repository: str, has_token: bool) -> LaternaError:
    hint = "" if has_token else " If it is private, enter a token that may see it."
    return ModelMissing(f"There is no repository {repository}.", f"Check HF_ENDPOINT.{hint}")


def _denied(status: int, code: str, message: str, repository: str, page: str, has_token: bool) -> LaternaError:
    lower = message.lower()
    if not has_token and not code:
        return AccessDenied(
            f"{repository} does not exist, or is only given to people who are signed in.",
            f"Look at {page}; if it is there, make a token on {TOKEN_PAGE} and enter it: “models token”.",
        )
    if not has_token:
        return AccessDenied(
            f"{repository} is only given to people who are signed in and have accepted its licence.",
            f"Accept the licence on {page}, make a token on {TOKEN_PAGE}, and enter it: “models token”.",
        )
    if status == 401 and code != "GatedRepo":
        return AccessDenied(
            "The hub does not accept the token: it is wrong, or no longer valid.",
            f"Make a new one on {TOKEN_PAGE} and enter it: “models token”.",
        )
    if "fine-grained" in lower or "token settings" in lower or "scope" in lower:
        return AccessDenied(
            "The token may not read gated repositories.",
            f"On {TOKEN_PAGE} allow it “read access to public gated repositories”, or make one of the kind “read”.",
        )
    if "awaiting" in lower or "pending" in lower:
        return AccessDenied(
            f"Your request for {repository} has not been answered yet.", f"Its state is on {page}. Try again later."
        )
    if "rejected" in lower:
        return AccessDenied(f"Your request for {repository} was rejected.", f"See {page}.")
    if code == "GatedRepo" or "gated" in lower or "restricted" in lower or "authorized list" in lower:
        return AccessDenied(
            f"The licence of {repository} is not accepted on the site yet by the token's owner.",
            f"Open {page}, accept it there, and try again.",
        )
    return AccessDenied(f"The token has no access to {repository}.", f"See {page}, or enter another token.")
