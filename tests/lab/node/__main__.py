# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node does for its pods: ``python -m ansible_collections.enbuild.eks.tests.lab.node CONFIG``."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import typing as t
from pathlib import Path

import boto3
import botocore.config

from ..kubernetes_api import KubernetesApi
from .agent import Agent
from .agents import Agents
from .ephemeral import EphemeralContainers
from .kubelet import Kubelet
from .metadata import Metadata
from .sandbox import Sandboxes
from .variables import LOOPBACK

Config = dict[str, t.Any]


def eks_auth(config: Config) -> t.Any:
    """Return a client with the credentials of the nodes' role."""
    node = config["node"]
    session = boto3.session.Session(
        node["access_key_id"], node["secret_access_key"], node["session_token"], config["region"]
    )
    options = botocore.config.Config(retries={"mode": "standard"}, proxies={})
    return session.client("eks-auth", endpoint_url=config["aws_url"], config=options)


def kubelet(config: Config) -> Kubelet:
    """Return the kubelet of all nodes."""
    access = config["kubernetes"]
    api = KubernetesApi(access["host"], Path(access["ca_file"]), Path(access["token_file"]))
    client = eks_auth(config)
    agents = Agents(api, lambda: Agent(client, config["cluster"]))
    metadata = Metadata(config["node"])
    metadata.start()
    own, folder = {"AWS_ENDPOINT_URL": config["aws_url"]}, Path(config["folder"])
    sandboxes = Sandboxes(api, folder, own, agents.address, metadata.url)
    ephemeral = EphemeralContainers(api, sandboxes, folder / "logs")
    ephemeral.start()
    return Kubelet(api, sandboxes, ephemeral)


def identity(config: Config) -> ssl.SSLContext:
    """Return who we are, and that whoever has a certificate of the lab's authority may show it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["tls_cert"], config["tls_key"])
    context.load_verify_locations(config["kubernetes"]["ca_file"])
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def serve(config: Config) -> None:
    """Serve until ended."""
    server = await asyncio.start_server(
        kubelet(config).serve, LOOPBACK, config["port"], ssl=identity(config), limit=1 << 20
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
