# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repository as a whole: what it says about itself is so."""

from __future__ import annotations

import re
import tarfile
import typing as t
from fnmatch import fnmatch
from pathlib import Path

import yaml
from ansible_collections.enbuild.eks.tests.tools import browser
from ansible_collections.enbuild.eks.tests.tools.checkout import CHECKOUT, files, run

MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:work|root|home|tmp|Users)/[\w.]")
PACKAGE_REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|proxy\.golang\.org|sum\.golang\.org|registry\.npmjs\.org|deb\.debian\.org"
    r"|repo1\.maven\.org|crates\.io"
)
MODULES = sorted(path.stem for path in CHECKOUT.glob("plugins/modules/*.py"))


def test_every_module_with_aws_options_is_in_the_action_group() -> None:
    group = _yaml("meta/runtime.yml")["action_groups"]["eks"]
    texts = {name: (CHECKOUT / "plugins" / "modules" / f"{name}.py").read_text() for name in MODULES}
    with_options = [name for name, text in texts.items() if "  - amazon.aws.region.modules" in text]
    assert sorted(member for member in group if isinstance(member, str)) == with_options


def test_every_module_has_an_integration_target() -> None:
    targets = CHECKOUT / "tests" / "integration" / "targets"
    assert not [name for name in MODULES if not (targets / name / "tasks" / "main.yml").is_file()]


def test_no_path_or_registry_of_one_machine() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or PACKAGE_REGISTRY.search(line)
    ]
    assert not found, "\n".join(found)


def test_each_package_of_the_tests_is_pinned_with_its_hashes() -> None:
    """uv and pip check them: `make lock` writes them."""
    text = (CHECKOUT / "tests" / "requirements" / "constraints.txt").read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(packages) > 100
    assert [line for line in packages if "==" not in line or "--hash=sha256:" not in line] == []


def test_galaxy_artifact(tmp_path: Path) -> None:
    code, output = run("ansible-galaxy", "collection", "build", "--output-path", str(tmp_path))
    assert code == 0, output
    (artifact,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(artifact) as archive:
        built = {member.name for member in archive if not member.isdir()}
    ignored = _yaml("galaxy.yml")["build_ignore"]
    wanted = {str(path) for path in files() if not any(_matches(path, pattern) for pattern in ignored)}
    assert built - {"MANIFEST.json", "FILES.json"} == wanted - {"galaxy.yml"}


def _matches(path: Path, pattern: str) -> bool:
    """Whether ``pattern`` of build_ignore leaves ``path`` or a folder above it out."""
    return any(fnmatch(str(part), pattern) for part in (path, *list(path.parents)[:-1]))


def test_ci_runs_make_test_with_nothing_but_what_tests_are_skipped_without() -> None:
    lines = (CHECKOUT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[:2] == ["set -eu", 'cd "$(dirname "$0")/.."']
    assert commands[-1] == "exec make test </dev/null"
    installed = [
        found for line in commands for found in re.findall(r"install -y --no-install-recommends ([^;]+);", line)
    ]
    assert installed == [f"{browser.PROGRAMS[0]} busybox"]


def test_the_list_of_targets_fits_on_a_screen() -> None:
    code, listed = run("make", "-s", "help")
    assert code == 0, listed
    lines = listed.splitlines()
    assert len(lines) <= 24
    assert [line for line in lines if len(line) > 80] == []
    assert {"demo", "test", "lint", "release"} <= {line.split()[1] for line in lines if line.startswith("  make ")}


def test_documents_name_targets_that_exist() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    documents = [text for path, text in _texts() if path.suffix == ".md"]
    named = {
        name for text in documents for name in re.findall(r"(?:`|^ *|\()make (?:-s )?([a-z-]+)", text, re.MULTILINE)
    }
    assert named <= targets, f"not in the Makefile: {sorted(named - targets)}"


def _yaml(path: str) -> t.Any:
    return yaml.safe_load((CHECKOUT / path).read_text())


def _texts() -> t.Iterator[tuple[Path, str]]:
    for path in files():
        try:
            yield path, (CHECKOUT / path).read_text()
        except UnicodeDecodeError:
            continue
