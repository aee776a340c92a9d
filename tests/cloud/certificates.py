"""Certificates, good and bad, and servers' contexts with them."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_YEAR = timedelta(days=365)


@cache
def _key(_whose: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _made(
    subject: str, issuer: str, names: list[x509.GeneralName], span: tuple[timedelta, timedelta]
) -> x509.Certificate:
    now = datetime.fromtimestamp(_wall(), UTC)
    authority = subject == issuer and not names
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(_key(subject).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + span[0])
        .not_valid_after(now + span[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(names or [x509.DNSName("authority")]), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(_key(subject).public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(issuer).public_key()),
            critical=False,
        )
        .sign(_key(issuer), hashes.SHA256())
    )


def _wall() -> float:
    """Now by the machine's clock, which is what OpenSSL goes by."""
    return Path("/proc/self").stat().st_mtime


def authority(folder: Path) -> Path:
    """A file with the authority's certificate."""
    path = folder / "authority.pem"
    made = _made("authority", "authority", [], (-_YEAR, _YEAR))
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def server(folder: Path, what: str = "good") -> ssl.SSLContext:
    """A server's context. ``what``: good, expired, early, elsewhere, self-signed."""
    span = {
        "expired": (-2 * _YEAR, -timedelta(days=1)), "early": (timedelta(days=1), _YEAR)
    }.get(what, (-_YEAR, _YEAR))  # fmt: skip
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    if what == "elsewhere":
        names = [x509.DNSName("ems.example.com")]
    issuer = what if what == "self-signed" else "authority"
    path = folder / f"{what}.pem"
    path.write_bytes(
        _made(what, issuer, names, span).public_bytes(serialization.Encoding.PEM)
        + _key(what).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def old(context: ssl.SSLContext) -> ssl.SSLContext:
    """One that speaks TLS 1.1 at most."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context
