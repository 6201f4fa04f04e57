"""Real `unlearnd` processes on the loopback, used through `unlearnctl`, with data that a small model learns."""

from __future__ import annotations

import atexit
import http.client
import json
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peer import networks, seeds
from peer.identity import Identity, id_from_text

CLASSES = ("a", "b", "c", "d")
NETWORK = "interop"
SIDE = 8
IMAGE_EPOCHS = 150


@dataclass
class Programs:
    """The programs under test; set by interop_test.py."""

    unlearnd: str = ""
    unlearnctl: str = ""


PROGRAMS = Programs()


def eventually(condition: Callable[[], Any], limit: float = 60.0) -> bool:
    """True as soon as `condition` is, false when it is not within `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("unlearnd", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Device:
    """A configuration, a data folder, and at times a process, in a folder that goes with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="interop-"))
        self.port = free_port()
        self.config = self.folder / "node.toml"
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.end)

    @property
    def endpoint(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def init(self, options: Sequence[str], network: Sequence[str] = ("--network", NETWORK)) -> None:
        """`unlearnctl init` with these data and models."""
        made = self.ask(
            "init",
            *network,
            "--classes",
            ",".join(CLASSES),
            "--data-dir",
            str(self.folder / "data"),
            "--sealed",
            str(self.folder / "exit.sealed"),
            "--socket",
            str(self.folder / "socket"),
            "--listen",
            self.endpoint,
            *options,
        )
        self.node_id = id_from_text(made["id"])
        self.network = bytes.fromhex(made["network"])

    def distil_for(self, epochs: int) -> None:
        """Changes the configuration, so that a seed on few examples becomes as good as its architecture allows."""
        section = "[distillation]"
        before, after = self.config.read_text().split(section)
        self.config.write_text(before + section + re.sub("# epochs = [0-9]+", f"epochs = {epochs}", after, 1))

    def give_room_for(self, seeds_of_others: int) -> None:
        """Changes the configuration, so that so many listed peers may have seeds here."""
        text = self.config.read_text()
        self.config.write_text(
            re.sub("total_mib = [0-9]+", f"total_mib = {2 * seeds_of_others}", text, count=1)
        )

    def start(self) -> None:
        """Starts the daemon, and waits until it predicts and has published its seed."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [PROGRAMS.unlearnd, "--config", str(self.config)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.ask("wait", "--timeout", "120", patience=60)

    def process_id(self) -> int:
        assert self._process
        return self._process.pid

    def wait(self, limit: float = 60.0) -> int:
        """Waits until the daemon ends by itself, and returns its exit code."""
        assert self._process
        return self._process.wait(limit)

    def stop(self) -> None:
        """Ends the daemon as an operator does."""
        assert self._process
        self._process.terminate()
        self._process.wait(60)

    def copy_data(self, copy: Path) -> None:
        """Copies the data folder of a daemon that does not run."""
        shutil.copytree(self.folder / "data", copy)

    def put_back(self, copy: Path) -> None:
        """Puts a copy in the place of the data folder."""
        shutil.rmtree(self.folder / "data")
        shutil.copytree(copy, self.folder / "data")

    def end(self) -> None:
        """Ends the daemon like a power cut, and removes its folder."""
        atexit.unregister(self.end)
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ctl(self, *arguments: str, patience: int = 5) -> subprocess.CompletedProcess[str]:
        command = [PROGRAMS.unlearnctl, "--config", str(self.config), "--patience", str(patience), "--json"]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=300, check=False
        )

    def ask(self, *arguments: str, patience: int = 5) -> Any:
        """Returns the answer to a command that must succeed."""
        finished = self.ctl(*arguments, patience=patience)
        if finished.returncode != 0:
            raise AssertionError(f"unlearnctl {' '.join(arguments)}: {finished.stderr}{self.log()}")
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    def log(self) -> str:
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def status(self) -> Any:
        return self.ask("status")

    def seed_of(self, owner: Identity) -> Any:
        """Returns what the node says about the seed of this owner, or None."""
        return next((seed for seed in self.status()["seeds"] if seed["owner"] == owner.text), None)

    def uses_seed_of(self, owner: Identity) -> bool:
        seed = self.seed_of(owner)
        return bool(seed) and seed["state"] == "in-use"

    def metric(self, name: str) -> float:
        """Returns a number of /metrics, named without `unlearnd_`."""
        connection = UnixConnection(self.folder / "socket")
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        line = next(line for line in text.splitlines() if line.startswith(f"unlearnd_{name} "))
        return float(line.split()[-1])

    def log_entries(self, kind: str, subject: str = "") -> list[Any]:
        """Returns the entries of this kind in the erasure log."""
        entries = self.ask("log", "-n", "0")
        return [e for e in entries if e["kind"] == kind and subject in ("", e["subject"])]


# ---- Tables: four clusters, told apart by the signs of two columns


def write_table(file: Path, stream: random.Random, rows: int = 800) -> None:
    lines = ["x,y,label"]
    for row in range(rows):
        kind = row % len(CLASSES)
        x = (1.0 if kind % 2 else -1.0) + stream.random() - 0.5
        y = 100.0 * ((1.0 if kind // 2 else -1.0) + stream.random() - 0.5)
        lines.append(f"{x},{y},{CLASSES[kind]}")
    file.write_text("\n".join(lines) + "\n")


def table_device(
    *, start: bool = True, network: Sequence[str] = ("--network", NETWORK), seed: str = "mlp:32"
) -> Device:
    """A device that learns from a table."""
    device = Device()
    write_table(device.folder / "own.csv", random.Random("own"))
    write_table(device.folder / "reference.csv", random.Random("reference"))
    files = ["--data", str(device.folder / "own.csv"), "--reference", str(device.folder / "reference.csv")]
    device.init([*files, "--main", "mlp:16", "--seed", seed], network)
    if start:
        device.start()
    return device


def table_of(device: Device) -> tuple[networks.ReferenceSet, list[str]]:
    """Returns the device's reference set, and the labels that it does not look at."""
    return networks.read_table((device.folder / "reference.csv").read_text())


def table_seed() -> bytes:
    """A seed of the architecture `linear`, made by hand, that tells the clusters apart."""
    weights = [
        4.0 * sign for kind in range(4) for sign in (1.0 if kind % 2 else -1.0, 1.0 if kind // 2 else -1.0)
    ]
    return seeds.write_payload(
        [seeds.Tensor("out.weight", (4, 2), weights), seeds.Tensor("out.bias", (4,), [0.0] * 4)]
    )


# ---- Images: the bright quarter is the class


def idx(dimensions: Sequence[int], data: bytes) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in dimensions)
    return b"\x00\x00\x08" + bytes([len(dimensions)]) + sizes + data


def write_images(folder: Path, name: str, stream: random.Random, count: int) -> list[int]:
    """Writes NAME-images and NAME-labels, and returns the labels."""
    labels = [image % len(CLASSES) for image in range(count)]
    pixels = bytearray()
    for label in labels:
        for y in range(SIDE):
            for x in range(SIDE):
                bright = (x >= SIDE // 2) == bool(label % 2) and (y >= SIDE // 2) == bool(label // 2)
                pixels.append(stream.randrange(128, 256) if bright else stream.randrange(128))
    (folder / f"{name}-images").write_bytes(idx([count, SIDE, SIDE], bytes(pixels)))
    (folder / f"{name}-labels").write_bytes(idx([count], bytes(labels)))
    return labels


def image_device(seed: str) -> tuple[Device, list[int]]:
    """A device that learns from images, and the labels of its reference set, which it does not look at."""
    device = Device()
    write_images(device.folder, "own", random.Random("own"), 400)
    labels = write_images(device.folder, "reference", random.Random("reference"), 200)
    folder = device.folder
    files = ["--images", str(folder / "own-images"), "--labels", str(folder / "own-labels")]
    device.init([*files, "--reference", str(folder / "reference-images"), "--main", "mlp:16", "--seed", seed])
    device.distil_for(IMAGE_EPOCHS)
    device.start()
    return device, labels
