# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interpreters for test playbooks that have imported what these need: a start is a fork, and imports nothing again.

``WarmPython.start()`` starts a server and writes a program that stands in for Python. That program passes its
arguments, environment, folder, umask and files 0 to 2 to the server, and ends as the fork ends that runs the script.
Without a server, or asked for anything but a script, it becomes a plain Python.

There are two: one runs modules, and one ansible-playbook itself, which takes the other for the Python that it runs in:
what a playbook knows as ansible_playbook_python. What they don't test is that Ansible packs all that a module imports,
so some tests run without them.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import importlib.util
import marshal
import os
import pkgutil
import runpy
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import types
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .process_tree import kill_whole

OWN = "ansible_collections.enbuild.eks.plugins.modules"
INTERPRETER = "WARM_INTERPRETER"
"""The variable that says which Python a controller is to take for its own."""
LIBRARIES = (
    *("boto3", "botocore.httpsession", "botocore.retries.standard", "botocore.retries.legacy"),
    *("kubernetes.dynamic", "xml.etree.ElementTree"),
)
MODULES = (
    *(f"ansible.modules.{name}" for name in ("command", "copy", "file", "stat", "uri")),
    *(
        f"ansible_collections.kubernetes.core.plugins.modules.{name}"
        for name in ("helm", "helm_info", "k8s", "k8s_info")
    ),
    *(f"ansible_collections.amazon.aws.plugins.modules.{name}" for name in ("iam_policy", "iam_role", "iam_role_info")),
    "zipfile",
    *LIBRARIES,
)
"""What is imported for modules, with all that it imports: beside these the collection's own modules."""
CONTROLLER = (
    *("jinja2.nativetypes", "yaml", "packaging.specifiers", "packaging.version", "resolvelib"),
    *("cryptography.hazmat.primitives.kdf.pbkdf2", "cryptography.hazmat.primitives.ciphers"),
    *("argparse", "concurrent.futures.thread", "logging.handlers", "multiprocessing.queues", "pwd", "uuid"),
    *LIBRARIES,
)
"""What is imported for ansible-playbook: of Ansible itself nothing, for its settings are read as it is imported."""
Kind = t.Literal["modules", "controller"]
CLIENT = """#!{python} -ISE
import _socket, array, marshal, os, sys
def become_plain():
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
if os.environ.get("PYTHONPATH") or (sys.argv[1:] and not os.path.isfile(sys.argv[1])):
    become_plain()
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
try:
    server.connect({address!r})
except OSError:
    become_plain()
umask = os.umask(0)
os.umask(umask)
said = marshal.dumps((sys.argv[1:], dict(os.environ), os.getcwd(), umask))
files = array.array("i", [0, 1, 2])
server.sendmsg([len(said).to_bytes(8, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
server.sendall(said)
end = server.recv(1)
os._exit(end[0] if end else 70)
"""
"""Starts with next to no imports. A server that dies under it ends it with status 70."""


class WarmPython:
    """A server in a process of its own, which ends with the one that started it."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.program = folder / kind
        self._address = folder / f"{kind}.socket"
        self.process = subprocess.Popen(
            [sys.executable, "-m", t.cast("t.Any", __spec__).name, kind, str(self._address)],
            stdin=subprocess.PIPE,  # Its end tells the server that this process has ended, however it did.
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name != "KUBECONFIG"},
            start_new_session=True,
        )
        self.program.write_text(CLIENT.format(python=sys.executable, address=str(self._address)))
        self.program.chmod(0o755)

    @classmethod
    @contextlib.contextmanager
    def start(cls, kind: Kind) -> t.Iterator[WarmPython]:
        """Start a server, and stop it at the end. Until it is ready, its program is a plain Python."""
        folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
        started = cls(kind, folder)
        try:
            yield started
        finally:
            started.process.communicate()  # The end of its input ends it, and what still runs in forks of it.
            shutil.rmtree(folder)

    def settle(self) -> None:
        """Return once nothing runs any more for clients that have ended."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(self._address))
            client.shutdown(socket.SHUT_WR)
            client.recv(1)

    def await_ready(self) -> None:
        """Wait until it has imported everything."""
        t.cast("t.IO[bytes]", self.process.stdout).read(1)


@dataclass(frozen=True)
class Call:
    """What a client asks to be run; ``files`` are its standard input, output and error."""

    arguments: list[str]
    environment: dict[str, str]
    folder: str
    umask: int
    files: tuple[int, ...]


class Server:
    """Forks for each client, tells it how the fork ended, and ends the fork of a client that has ended."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._watched = selectors.DefaultSelector()
        self._watched.register(listening, selectors.EVENT_READ, self._accept)
        self._watched.register(0, selectors.EVENT_READ, self._stop)
        self._running: dict[int, socket.socket] = {}
        self._call: Call | None = None
        self._stopped = False

    def serve(self) -> Call | None:
        """Return in each fork with its call, and in the server with None at its end."""
        while self._call is None and not self._stopped:
            for key, _events in self._watched.select():
                key.data()
                if self._call:
                    break
        return self._call

    def _stop(self) -> None:
        self._stopped = True
        for pid in list(self._running):
            kill_whole(pid)

    def _accept(self) -> None:
        client, _address = self._listening.accept()
        call = _receive(client)
        if call is None:
            self._settle()
            client.close()
        elif pid := os.fork():
            self._watch(pid, client)
            for file in call.files:
                os.close(file)
        else:
            self._become(call, client)

    def _watch(self, pid: int, client: socket.socket) -> None:
        self._running[pid] = client
        ended = os.pidfd_open(pid)
        self._watched.register(client, selectors.EVENT_READ, lambda: kill_whole(pid))
        self._watched.register(ended, selectors.EVENT_READ, lambda: self._reap(pid, ended))

    def _reap(self, pid: int, ended: int) -> None:
        _pid, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        client = self._running.pop(pid)
        for each in (client, ended):
            self._watched.unregister(each)
        with contextlib.suppress(OSError):
            client.sendall(bytes([code if code >= 0 else 128 - code]))
        client.close()
        os.close(ended)

    def _settle(self) -> None:
        for pid, client in self._running.items():
            if _has_ended(client):
                kill_whole(pid)
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # It is reaped in its turn.

    def _become(self, call: Call, client: socket.socket) -> None:
        self._call = call
        self._watched.close()
        for each in (self._listening, client, *self._running.values()):
            each.close()


def _has_ended(client: socket.socket) -> bool:
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _receive(client: socket.socket) -> Call | None:
    """Read a call; None from a client that has none, or ended meanwhile."""
    files = array.array("i")
    try:
        head, control, _flags, _address = client.recvmsg(8, socket.CMSG_SPACE(3 * files.itemsize))
        if not head:
            return None
        for _level, _type, data in control:
            files.frombytes(data[: len(data) - len(data) % files.itemsize])
        text = bytearray()
        size = int.from_bytes(head, "big")
        while len(text) < size and (more := client.recv(size - len(text))):
            text += more
        arguments, environment, folder, umask = marshal.loads(bytes(text))  # noqa: S302  Said by our own client.
        return Call(arguments, environment, folder, umask, tuple(files))
    except (OSError, EOFError, ValueError):
        return None


def import_all(kind: Kind) -> None:
    """Import what is needed before the first fork. What is missing isn't needed here."""
    names = CONTROLLER if kind == "controller" else _names_for_modules()
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in names:
        if ".modules." in name:  # A module runs as __main__, and would be there twice.
            sys.modules.pop(name, None)
    assert "ansible._internal" not in sys.modules, "modules must not take themselves for a controller"


def _names_for_modules() -> tuple[str, ...]:
    """Name the modules, after a start at Ansible as modules see it: what it packs for them has an empty __init__."""
    spec = t.cast("t.Any", importlib.util.find_spec("ansible"))
    root = Path(spec.origin).parent
    for name, path in (("ansible", root), ("ansible_collections", root.parent / "ansible_collections")):
        package = types.ModuleType(name)
        package.__path__, package.__file__ = [str(path)], str(path / "__init__.py")
        sys.modules[name] = package
    own = importlib.import_module(OWN)
    return (*MODULES, *(f"{OWN}.{each.name}" for each in pkgutil.iter_modules(own.__path__)))


def share_packed_modules(folder: Path) -> None:
    """Let all runs of Ansible share what it packs for its modules: each keeps it in its own temporary folder."""
    folder.mkdir()
    plain = tempfile.mkdtemp

    def mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:  # noqa: A002
        made = plain(suffix, prefix, dir)
        if prefix and prefix.startswith("ansible-local-"):
            (Path(made) / "ansiballz_cache").symlink_to(folder)
        return made

    tempfile.mkdtemp = mkdtemp  # type: ignore[assignment]


def run(call: Call) -> int:
    """Run the call's script as Python would, and return its exit status."""
    _take_over(call)
    try:
        _run_script(call.arguments)
        return 0
    except SystemExit as end:
        return _status(end)
    except BaseException:
        traceback.print_exc()
        return 1


def _take_over(call: Call) -> None:
    for number, file in enumerate(call.files):
        os.dup2(file, number)
    for file in call.files:
        os.close(file)
    os.chdir(call.folder)
    os.umask(call.umask)
    os.environ.clear()
    os.environ.update(call.environment)
    sys.executable = os.environ.pop(INTERPRETER, sys.executable)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  For as long as this process lives, as the next two.
    sys.stdout = open(1, "w", 1 if "PYTHONUNBUFFERED" in os.environ else -1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    _honour_kubeconfig()


def _honour_kubeconfig() -> None:
    """The Kubernetes client reads the variable as it is imported."""
    for name in ("kubernetes.config", "kubernetes.config.kube_config"):
        if module := sys.modules.get(name):
            module.KUBE_CONFIG_DEFAULT_LOCATION = os.environ.get("KUBECONFIG", "~/.kube/config")  # type: ignore[attr-defined]


def _run_script(arguments: list[str]) -> None:
    sys.argv = arguments or [""]
    if arguments:
        sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
        runpy.run_path(arguments[0], run_name="__main__")
    else:
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), main.__dict__)  # noqa: S102  As Python does with a script.


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return (end.code or 0) & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def _leave(status: int) -> t.NoReturn:
    """End as Python does, but without taking everything apart that was imported."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def main() -> None:
    """Serve what kind of scripts, and at which address, the arguments say, until standard input ends."""
    kind, address = sys.argv[1:]
    for name in [name for name in sys.modules if name.startswith("ansible")]:  # How this file was found.
        del sys.modules[name]
    import_all(t.cast("Kind", kind))
    if kind == "controller":
        share_packed_modules(Path(address).parent / "packed")
    gc.collect()
    gc.freeze()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(address)
    listening.listen(64)
    os.write(1, b".")
    if call := Server(listening).serve():
        _leave(run(call))


if __name__ == "__main__":
    main()
