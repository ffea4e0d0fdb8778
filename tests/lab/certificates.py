# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority, its servers' certificate, the API server's own, and the key of its tokens."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .layout import Layout, write_private

LIFETIME = datetime.timedelta(days=365)
ADDRESSES = ("127.0.0.1", "10.100.0.1")
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Credentials:
    """Paths of PEM files."""

    ca: Path
    certificate: Path
    key: Path
    service_account_key: Path
    client_certificate: Path
    """By which the API server shows who it is: to etcd, and to kubelets."""
    client_key: Path


def create(layout: Layout) -> Credentials:
    """Make everything anew. EKS signs service account tokens with RSA, so the lab does."""
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("enbuild-eks-lab", "enbuild-eks-lab", ca_key, ca_key, _of_authority(ca_key))
    server = _certificate("kube-apiserver", "enbuild-eks-lab", server_key, ca_key, _of_server(ca_key))
    client_key = ec.generate_private_key(ec.SECP256R1())
    client = _certificate("kube-apiserver-client", "enbuild-eks-lab", client_key, ca_key, _of_client(ca_key))
    account_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return Credentials(
        ca=write_private(layout.config / "ca.crt", _pem(ca)),
        certificate=write_private(layout.config / "server.crt", _pem(server)),
        key=write_private(layout.secrets / "server.key", _key_pem(server_key)),
        service_account_key=write_private(layout.secrets / "service-accounts.key", _key_pem(account_key)),
        client_certificate=write_private(layout.config / "client.crt", _pem(client)),
        client_key=write_private(layout.secrets / "client.key", _key_pem(client_key)),
    )


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _of_authority(key: ec.EllipticCurvePrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    return [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, decipher_only=False, **usage), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]


def _of_server(ca_key: ec.EllipticCurvePrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    names += [x509.DNSName(name) for name in NAMES]
    return [(x509.SubjectAlternativeName(names), False), *_of_end(ca_key, ExtendedKeyUsageOID.SERVER_AUTH)]


def _of_client(ca_key: ec.EllipticCurvePrivateKey) -> list[tuple[x509.ExtensionType, bool]]:
    return _of_end(ca_key, ExtendedKeyUsageOID.CLIENT_AUTH)


def _of_end(ca_key: ec.EllipticCurvePrivateKey, usage: x509.ObjectIdentifier) -> list[tuple[x509.ExtensionType, bool]]:
    return [
        (x509.ExtendedKeyUsage([usage]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False),
    ]


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: t.Any) -> str:
    plain = serialization.NoEncryption()
    data = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return t.cast("str", data.decode())
