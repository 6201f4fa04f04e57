"""What a real node does while it is under siege: how long an exit takes, what uninvited members cost, how soon
an expelled member is out of use.

    /usr/bin/python3 tests/bench/siege.py --unlearnd build/release/bin/unlearnd --unlearnctl build/release/bin/unlearnctl
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import multiprocessing
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Union

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "interop"))

import devices
from devices import CLASSES, Device, UnixConnection, eventually
from peer import networks, seeds, statements
from peer.codec import Ping
from peer.comparison import digest_of_exits
from peer.identity import Identity, text_of
from peer.member import Member
from peer.session import Session
from peer.statements import Membership

FLOODERS = 20
SELF_INVITED = 24
PREDICTIONS = 3
LARGE = "mlp:680x680"
PREDICTION_BYTES = 16 * 1024 * 1024 - 4096

Worker = Union[threading.Thread, multiprocessing.Process]

# ---- Sieges


@contextlib.contextmanager
def at_work(workers: Sequence[Worker], over: Any) -> Iterator[None]:
    """Workers that go on until `over` is set, which it is at the end, whatever happened."""
    for worker in workers:
        worker.start()
    time.sleep(3)
    try:
        yield
    finally:
        over.set()
        for worker in workers:
            worker.join(30)


@contextlib.contextmanager
def nothing(_: Device) -> Iterator[None]:
    yield


@contextlib.contextmanager
def silent_name_server(device: Device) -> Iterator[None]:
    """Twelve listed peers have names that a name server never answers for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        for number in range(12):
            name = f"{Identity.generate().text}@tcp://silent-{number}.example:7411"
            device.ask("peers", "add", name)
        time.sleep(3)
        server.settimeout(15)
        server.recv(512)  # the control: it is asked
        yield


@contextlib.contextmanager
def large_predictions(device: Device) -> Iterator[None]:
    """Three clients ask for predictions without a pause, in requests of 16 MiB."""
    row = f"[{0.5:.80f},{-50.25:.80f}],"  # long, since a request has at most 100,000 rows
    body = ('{"inputs":[' + row * (PREDICTION_BYTES // len(row)))[:-1] + "]}"
    over = threading.Event()
    answers: collections.Counter[int] = collections.Counter()

    def ask() -> None:
        while not over.is_set():
            connection = UnixConnection(device.folder / "socket")
            with contextlib.suppress(OSError):
                connection.request("POST", "/v1/predict", body)
                answers[connection.getresponse().status] += 1
            connection.close()

    with at_work([threading.Thread(target=ask) for _ in range(PREDICTIONS)], over):
        yield
    print(f"    answers to these predictions: {dict(answers)}", flush=True)


def flood(secret: bytes, server: bytes, endpoint: str, network: bytes, over: object) -> None:
    """Says Hello, Ping and Digest as fast as it can, on one connection after the other."""
    identity = Identity.from_seed(secret)
    while not over.is_set():  # type: ignore[attr-defined]
        session = Session(identity, server, endpoint, network)
        for number in range(3000):
            if session.closed or over.is_set():  # type: ignore[attr-defined]
                break
            session.send(session.hello())
            session.send(Ping(number))
            session.send(digest_of_exits(os.urandom(16), []))
            if number % 100 == 99:
                time.sleep(0.01)
        session.is_closed_within(1)
        session.close()


@contextlib.contextmanager
def flooding_members(device: Device) -> Iterator[None]:
    """Twenty listed members flood the node, each from a process of its own."""
    over = multiprocessing.Event()
    processes = []
    for _ in range(FLOODERS):
        identity = Identity.generate()
        device.ask("peers", "add", identity.text)
        about = (identity.secret_seed, device.node_id, device.endpoint, device.network, over)
        processes.append(multiprocessing.Process(target=flood, args=about, daemon=True))
    before = device.metric("peers_dropped_total")
    with at_work(processes, over):
        yield
    print(f"    the node cut them off {device.metric('peers_dropped_total') - before:.0f} times", flush=True)


# ---- Measurements


def id_of(device: Device) -> str:
    return text_of(device.node_id)


def introduce(first: Device, second: Device) -> None:
    first.ask("peers", "add", f"{id_of(second)}@{second.endpoint}")
    second.ask("peers", "add", f"{id_of(first)}@{first.endpoint}")


def uses(device: Device, owner: str) -> bool:
    return any(seed["owner"] == owner and seed["state"] == "in-use" for seed in device.status()["seeds"])


def time_of_receipts(siege: Callable[[Device], contextlib.AbstractContextManager[None]], repeats: int) -> list[float]:
    """Seconds from `unlearnctl exit` to the receipt of the besieged neighbour, for `repeats` leavers."""
    victim = devices.table_device()
    leavers = [devices.table_device() for _ in range(repeats)]
    times = []
    for leaver in leavers:
        introduce(victim, leaver)
    for leaver in leavers:
        name = id_of(leaver)
        if not eventually(lambda: uses(victim, name) and uses(leaver, id_of(victim))):
            raise AssertionError(victim.status()["seeds"])
    with siege(victim):
        for leaver in leavers:
            begun = time.monotonic()
            stated = leaver.ask("exit", "--yes", "--wait", "--timeout", "120")
            times.append(time.monotonic() - begun)
            assert stated["complete"], stated
    for device in (victim, *leavers):
        device.end()
    return times


def bytes_of(device: Device) -> tuple[int, int]:
    """Private memory and disk of a node, in bytes."""
    memory = sum(
        int(line.split()[1]) * 1024
        for line in Path(f"/proc/{device.process_id()}/smaps_rollup").read_text().splitlines()
        if line.startswith("Private_")
    )
    disk = sum(file.stat().st_blocks * 512 for file in (device.folder / "data").rglob("*"))
    return memory, disk


def fleet_key() -> tuple[Identity, Device]:
    holder = Device()
    holder.ask("network", "key", str(holder.folder / "fleet.key"))
    lines = dict(line.split(" ", 1) for line in (holder.folder / "fleet.key").read_text().splitlines())
    return Identity.from_seed(bytes.fromhex(lines["secret"])), holder


def large_seed(shape: networks.Shape) -> bytes:
    """A seed near the share of one owner, which classes nothing well."""
    architecture = seeds.parse_architecture(LARGE)
    stream = random.Random(1)
    return seeds.write_payload(
        [
            seeds.Tensor(name, size, [stream.gauss(0, 0.05) for _ in range(math.prod(size))])
            for name, size in seeds.expected_tensors(architecture, shape, len(CLASSES))
        ]
    )


def cost_of_the_self_invited(policy: str) -> None:
    """What 24 members that nobody lists cost, each of which offers a large seed and takes ours."""
    key, holder = fleet_key()
    device = devices.table_device(
        network=("--network-key", str(holder.folder / "fleet.key"), "--members", policy)
    )
    reference, _ = devices.table_of(device)
    time.sleep(2)
    before = bytes_of(device)
    sessions, members = [], []
    payload = large_seed(reference.shape)
    for _ in range(SELF_INVITED):
        member = Member(Identity.generate(), device.network, reference.shape, len(CLASSES))
        signed = statements.sign(key, device.network, Membership(member.identity.node_id))
        session = member.join(device.node_id, device.endpoint, membership=signed)
        member.offer(session, LARGE, payload, 1)
        sessions.append(session)
        members.append(member)
    time.sleep(20)
    after = bytes_of(device)
    held = device.status()["seeds"]
    got = sum(1 for member in members if member.taken)
    mib = 1 << 20
    print(
        f"{policy}: {SELF_INVITED} members with seeds of {len(payload) / mib:.2f} MiB: memory "
        f"{(after[0] - before[0]) / mib:+.1f} MiB, disk {(after[1] - before[1]) / mib:+.1f} MiB; "
        f"{len(held)} seeds held, {got} members have ours",
        flush=True,
    )
    for session in sessions:
        session.close()
    device.end()
    holder.end()


def expulsion(repeats: int) -> None:
    """Seconds until the seed of an expelled member is out of use at three nodes, and what a restart brings back."""
    key, holder = fleet_key()
    file = str(holder.folder / "fleet.key")
    nodes = [
        devices.table_device(network=("--network-key", file, "--members", "exchange")) for _ in range(3)
    ]
    for one, other in ((0, 1), (1, 2)):
        introduce(nodes[one], nodes[other])
    reference, _ = devices.table_of(nodes[0])
    times = []
    for round_number in range(repeats):
        member = Member(Identity.generate(), nodes[0].network, reference.shape, len(CLASSES))
        signed = statements.sign(key, nodes[0].network, Membership(member.identity.node_id))
        sessions = [member.join(node.node_id, node.endpoint, membership=signed) for node in nodes]
        for session in sessions:
            member.offer(session, "linear", devices.table_seed(), 1)
        if not eventually(lambda: all(node.uses_seed_of(member.identity) for node in nodes)):
            raise AssertionError([node.status()["seeds"] for node in nodes])
        begun = time.monotonic()
        nodes[0].ask("network", "expel", member.identity.text, "--key", file, "--yes")
        if not eventually(lambda: not any(node.seed_of(member.identity) for node in nodes), 30):
            raise AssertionError([node.status()["seeds"] for node in nodes])
        times.append(time.monotonic() - begun)
        for session in sessions:
            session.close()
    print(f"expelled, and out of use at three nodes in a line: {summary(times)}", flush=True)
    nodes[1].stop()
    nodes[1].start()
    again = Session(member.identity, nodes[1].node_id, nodes[1].endpoint, nodes[1].network, membership=signed)
    again.send(again.hello())
    member.offer(again, "linear", devices.table_seed(), 2)
    time.sleep(10)
    print(f"    after a restart, and a newer seed: {nodes[1].seed_of(member.identity)}", flush=True)
    again.close()
    for node in (*nodes, holder):
        node.end()


def summary(times: list[float]) -> str:
    return f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s of {len(times)}"


SIEGES = {
    "nothing": nothing,
    "a name server that never answers": silent_name_server,
    f"{PREDICTIONS} predictions of 16 MiB without a pause": large_predictions,
    f"{FLOODERS} members flood the node": flooding_members,
}


def use_own_names() -> None:
    """Puts a name server of our own into this mount namespace."""
    file = Path(tempfile.mkdtemp()) / "resolv.conf"
    file.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:4\n")
    subprocess.run(["mount", "--bind", str(file), "/etc/resolv.conf"], check=True)


def show_members() -> None:
    for policy in ("exits-only", "exchange"):
        cost_of_the_self_invited(policy)


def show_exits(repeats: int, silent_names: bool) -> None:
    for name, siege in SIEGES.items():
        if siege is silent_name_server and not silent_names:
            print(f"{name}: not tried, see --silent-names")
            continue
        print(f"exit to receipt, {name}: {summary(time_of_receipts(siege, repeats))}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlearnd", required=True)
    parser.add_argument("--unlearnctl", required=True)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=("exits", "members", "expulsion"), help="one of the three measurements")
    parser.add_argument("--silent-names", action="store_true", help="needs `unshare --mount` before it, and root")
    options = parser.parse_args()
    devices.PROGRAMS.unlearnd, devices.PROGRAMS.unlearnctl = options.unlearnd, options.unlearnctl
    if options.silent_names:
        use_own_names()
    measurements: dict[str, Callable[[], None]] = {
        "exits": lambda: show_exits(options.repeats, options.silent_names),
        "members": show_members,
        "expulsion": lambda: expulsion(options.repeats),
    }
    for name, measure in measurements.items():
        if options.only in (None, name):
            measure()


if __name__ == "__main__":
    main()
