"""Certificates as good and as bad as a test wants them."""

import datetime
import ipaddress
import pathlib
import ssl
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("s3.elsewhere.example")


class Authority:
    """Vouches for servers; `file` is what whoever trusts it is given."""

    def __init__(self, directory: pathlib.Path, name: str = "authority"):
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        certificate = self._signed(self._key, self._subject, -2, 2, [
            x509.BasicConstraints(ca=True, path_length=None)])
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(_pem(certificate))

    def itself(self) -> ssl.SSLContext:
        """A server with a certificate that it made for itself: this one's own."""
        return self._context("itself", self.file.read_bytes(), self._key)

    def server(
        self, *, name: x509.GeneralName = HERE, begins: float = -2, ends: float = 2
    ) -> ssl.SSLContext:
        """What a server speaks TLS with; the days of its certificate count from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(
            key, _named("server"), begins, ends, [x509.SubjectAlternativeName([name])])
        return self._context(f"server-{certificate.serial_number}", _pem(certificate), key)

    def _context(
        self, name: str, certificate: bytes, key: ec.EllipticCurvePrivateKey
    ) -> ssl.SSLContext:
        file = self._directory / f"{name}.pem"
        file.write_bytes(certificate + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(
        self, key: ec.EllipticCurvePrivateKey, subject: x509.Name, begins: float, ends: float,
        extensions: list[x509.ExtensionType]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject).issuer_name(self._subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=begins))
            .not_valid_after(now + datetime.timedelta(days=ends)))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def old_protocol(context: ssl.SSLContext) -> ssl.SSLContext:
    """Nothing newer than TLS 1.1, which this machine's OpenSSL has to be talked into."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
