# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.enbuild.eks.tests.lab.node.image import ANNOTATION, Images, locate, tools_of, tools_of_image
from ansible_collections.enbuild.eks.tests.lab.node.variables import NotStarted


def named(tools: str) -> tuple[str, ...]:
    return tools_of({"metadata": {"annotations": {ANNOTATION: tools}}})


def test_the_annotation_is_a_list() -> None:
    assert named("python, curl") == ("curl", "python")
    assert named("") == ()
    assert "python" in tools_of({"metadata": {}}), "the tools without the annotation"


def test_an_image_is_the_whole_path(tmp_path: Path) -> None:
    images = Images(tmp_path / "images")
    shell, python, nothing = (images.path(named(tools)) for tools in ("shell", "python", "none"))
    assert {path.name for path in python.iterdir()} == {"python", "python3"}
    assert list(nothing.iterdir()) == []
    assert images.path(("shell",)) == shell
    said = subprocess.run(
        [shell / "sh", "-c", "python3 --version || echo none | cat"],
        env={"PATH": str(shell)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "none\n"
    run = subprocess.run([python / "python3", "-c", "import boto3"], env={}, capture_output=True, check=False)
    assert run.returncode == 0, "it is the Python that has this project's libraries"


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("sh", True),
        ("/bin/sh", True),
        ("/usr/bin/env", True),
        ("/opt/bin/sh", False),
        ("ruby", False),
        ("/bin/", False),
        ("..", False),
        ("", False),
    ],
)
def test_programs_by_name_and_by_path(tmp_path: Path, program: str, found: bool) -> None:
    assert bool(locate(program, Images(tmp_path).path(("shell",)))) == found


def test_a_tool_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="names perl; the lab knows aws, busybox"):
        Images(tmp_path).path(("perl",))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("image", "tools"),
    [
        ("busybox", ("busybox",)),
        ("registry.example.com:5000/mirror/busybox:1.36", ("busybox",)),
        (f"public.ecr.aws/aws-cli/aws-cli@sha256:{'0' * 64}", ("aws",)),
        ("registry.example.com/curl/orders:busybox", None),
    ],
)
def test_an_ephemeral_containers_image_is_known_by_its_name(image: str, tools: tuple[str, ...] | None) -> None:
    assert tools_of_image(image) == tools
