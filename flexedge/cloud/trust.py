"""Which certificates are trusted, and what is wrong with those that are not."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flexedge.cloud.dial import Secure
from flexedge.errors import Away

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_WHY: Final[Mapping[int, str]] = {
    _NOT_YET_VALID: "its certificate is not valid yet: look at the gateway's clock",
    _EXPIRED: "its certificate has expired; who runs the server has to renew it",
    18: "its certificate is self-signed; name it as the CA file if that is right",
    19: "its certificate is signed by an unknown authority; name that one's CA file if that is"
    " right",
    20: "its certificate is signed by an unknown authority; name that one's CA file if that is"
    " right, or have the server send its whole chain",
    21: "its certificate is signed by an unknown authority; have the server send its whole chain",
    23: "its certificate was revoked",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}  # fmt: skip
"""By the codes of OpenSSL's ``X509_verify_cert_error_string``."""


def context(ca_file: Path | None, fallback: str) -> ssl.SSLContext:
    """What is trusted: the system's authorities and the installer's own.

    ``fallback``: a file with authorities for a system without any. Raises ``OSError`` (also
    ``ssl.SSLError``) for a CA file that cannot be read or holds none.
    """
    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.sslsocket_class = Secure
    if not system_has_authorities(ssl.get_default_verify_paths()):
        made.load_verify_locations(cafile=fallback)
    if ca_file is not None:
        made.load_verify_locations(cafile=ca_file)
    return made


def system_has_authorities(paths: ssl.DefaultVerifyPaths) -> bool:
    """Whether there is anything where OpenSSL looks for authorities."""
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).iterdir()))


def untrusted(error: ssl.SSLError, *, clock_known: bool) -> tuple[Away, str]:
    """What went wrong with TLS: a kind and a sentence.

    Where our clock is not known to be right it is blamed for what it may be to blame for.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        why = _WHY.get(code, f"its certificate is not to be trusted: {error.verify_message}")
        if code == _EXPIRED and not clock_known:
            why = "its certificate has expired, or the gateway's clock is wrong"
            return "clock", why
        return ("clock" if code == _NOT_YET_VALID else "tls"), why
    reason: str = getattr(error, "reason", None) or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return "tls", "it does not speak TLS there; is it http:// instead?"
    if "PROTOCOL" in reason or "VERSION" in reason:
        return "tls", "it speaks no TLS from 1.2 on"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "reset", "the connection was cut off while TLS began"
    return "tls", f"TLS failed: {reason or error.strerror or 'no reason told'}"
