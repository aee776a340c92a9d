import ssl
from pathlib import Path

import certifi
import pytest

from flexedge.cloud import trust
from flexedge.cloud.dial import Secure
from tests.cloud import certificates


def paths(cafile: str | None, capath: str | None) -> ssl.DefaultVerifyPaths:
    return ssl.DefaultVerifyPaths(cafile, capath, "", "", "", "")  # type: ignore[arg-type]


def test_nothing_is_trusted_unseen(tmp_path: Path) -> None:
    made = trust.context(None, certifi.where())
    assert made.verify_mode == ssl.CERT_REQUIRED
    assert made.check_hostname
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.sslsocket_class is Secure
    names = {dict(one[0] for one in found["subject"]).get("commonName") for found in _all(made)}
    assert "authority" not in names
    ours = trust.context(certificates.authority(tmp_path), certifi.where())
    assert len(_all(ours)) == len(_all(made)) + 1


def _all(context: ssl.SSLContext) -> list[dict[str, tuple[tuple[tuple[str, str]]]]]:
    return context.get_ca_certs()  # type: ignore[return-value]


def test_a_system_without_authorities_is_noticed(tmp_path: Path) -> None:
    assert not trust.system_has_authorities(paths(None, None))
    assert not trust.system_has_authorities(paths(None, str(tmp_path)))
    certificates.authority(tmp_path)
    assert trust.system_has_authorities(paths(None, str(tmp_path)))
    assert trust.system_has_authorities(paths(str(tmp_path / "authority.pem"), None))


@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_file_without_authorities_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ssl.SSLError):
        trust.context(tmp_path / "ca.pem", certifi.where())
    with pytest.raises(FileNotFoundError):
        trust.context(tmp_path / "none.pem", certifi.where())


def test_what_is_not_known_is_told_as_it_is() -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = 99, "something new"
    assert trust.untrusted(error, clock_known=True) == (
        "tls", "its certificate is not to be trusted: something new"
    )  # fmt: skip
    assert trust.untrusted(ssl.SSLError(1, "odd"), clock_known=True)[0] == "tls"
