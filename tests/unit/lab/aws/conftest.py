# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulator in this process, reset before each test."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import typing as t
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.aws.config import Config
from ansible_collections.enbuild.eks.tests.lab.aws.server import Emulator
from ansible_collections.enbuild.eks.tests.unit.lab.aws.emulated import ACCOUNT, CONTROL_TOKEN, OPERATOR, REGION, Lab
from ansible_collections.enbuild.eks.tests.unit.lab.aws.fake_kubernetes import FakeKubernetes
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    certificate = builder.add_extension(x509.SubjectAlternativeName([address]), False).sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Lab]:
    folder = tmp_path_factory.mktemp("aws")
    certificate, key = _certificate(folder)
    (folder / "token").write_text("cluster-admin")
    (folder / "control.token").write_text(CONTROL_TOKEN)
    kubernetes = FakeKubernetes()
    operator = {"user_name": "operator", "access_key_id": OPERATOR[0], "secret_access_key": OPERATOR[1]}
    config = Config.from_dict(
        {
            "http_port": _free_port(),
            "https_port": _free_port(),
            "tls_cert": certificate,
            "tls_key": key,
            "control_token_file": str(folder / "control.token"),
            "account_id": ACCOUNT,
            "region": REGION,
            "operator": operator,
            "clusters": [
                {"name": "lab", "version": "1.36", "region": REGION},
                {"name": "auto", "version": "1.34", "region": REGION, "auto_mode": True},
            ],
            "kubernetes": {"host": kubernetes.host, "ca_file": certificate, "token_file": str(folder / "token")},
        }
    )
    emulator = Emulator(config)
    emulator.start()
    yield Lab(emulator, config, kubernetes)
    emulator.stop()
    kubernetes.stop()


@pytest.fixture
def lab(_running: Lab) -> Lab:
    """A fresh account and cluster."""
    _running.kubernetes.clear()
    _running.control("POST", "reset")
    return _running


@pytest.fixture
def eks(lab: Lab) -> t.Any:
    """The operator's EKS client."""
    return lab.client("eks")
