"""Architectures, their tensors, and the payload of a seed (seeds.md)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import Malformed
from .floats import pack_floats, unpack_floats
from .networks import Shape

MOST_TEXT = 64
MOST_WIDTH = 4_096
MOST_BLOCKS = 32
MOST_WEIGHTS = 1_000_000
MOST_INPUT = 2**24
MOST_CLASSES = 1_000
MOST_HEADER = 65_536
MOST_PAYLOAD = 4_065_536
MOST_TENSORS = 512
MOST_NAME = 128
MOST_DIMENSIONS = 8
MOST_WEIGHT = 10_000.0
KERNEL = (3, 3)

SIZE = "[1-9][0-9]*"
WIDTHS = f"({SIZE}(?:x{SIZE}){{0,7}})"
TEXTS = {
    "linear": re.compile("linear"),
    "mlp": re.compile(f"mlp:{WIDTHS}"),
    "cnn": re.compile(f"cnn:{WIDTHS}(?:\\+({SIZE}))?"),
    "resnet": re.compile(f"resnet:{WIDTHS}\\+({SIZE})"),
}


@dataclass(frozen=True)
class Architecture:
    """`extra` is the hidden layer of a cnn (0 for none) or the blocks of each stage of a resnet."""

    kind: str
    widths: tuple[int, ...] = ()
    extra: int = 0


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    values: list[float]


Shapes = list[tuple[str, tuple[int, ...]]]


def parse_architecture(text: str) -> Architecture:
    """Returns the architecture that has this text."""
    if len(text) > MOST_TEXT:
        raise Malformed("the text of an architecture is too long")
    for kind, pattern in TEXTS.items():
        if match := pattern.fullmatch(text):
            groups = [group or "" for group in match.groups()] + ["", ""]
            widths = tuple(int(width) for width in groups[0].split("x") if width)
            extra = int(groups[1] or 0)
            most_extra = MOST_BLOCKS if kind == "resnet" else MOST_WIDTH
            if max(widths, default=0) > MOST_WIDTH or extra > most_extra:
                raise Malformed(f"{text} is too wide")
            return Architecture(kind, widths, extra)
    raise Malformed(f"{text!r} is not an architecture")


def dense(name: str, inputs: int, outputs: int) -> Shapes:
    return [(f"{name}.weight", (outputs, inputs)), (f"{name}.bias", (outputs,))]


def norm(name: str, channels: int) -> Shapes:
    return [(f"{name}.scale", (channels,)), (f"{name}.shift", (channels,))]


def mlp_shapes(architecture: Architecture, shape: Shape, classes: int) -> Shapes:
    shapes: Shapes = []
    inputs = math.prod(shape)
    for layer, width in enumerate(architecture.widths, 1):
        shapes += dense(f"hidden{layer}", inputs, width)
        inputs = width
    return shapes + dense("out", inputs, classes)


def cnn_shapes(architecture: Architecture, shape: Shape, classes: int) -> Shapes:
    shapes: Shapes = []
    channels, height, width = shape
    for layer, channels_after in enumerate(architecture.widths, 1):
        shapes.append((f"conv{layer}.weight", (channels_after, channels, *KERNEL)))
        shapes.append((f"conv{layer}.bias", (channels_after,)))
        channels, height, width = channels_after, height // 2, width // 2
        if height == 0 or width == 0:
            raise Malformed("nothing is left of the input")
    inputs = channels * height * width
    if architecture.extra:
        shapes += dense("hidden", inputs, architecture.extra)
        inputs = architecture.extra
    return shapes + dense("out", inputs, classes)


def resnet_shapes(architecture: Architecture, shape: Shape, classes: int) -> Shapes:
    channels = architecture.widths[0]
    shapes: Shapes = [("stem.weight", (channels, shape[0], *KERNEL)), *norm("stem.norm", channels)]
    for stage, width in enumerate(architecture.widths, 1):
        for block in range(1, architecture.extra + 1):
            name = f"stage{stage}.block{block}"
            shapes.append((f"{name}.conv1.weight", (width, channels, *KERNEL)))
            shapes += norm(f"{name}.norm1", width)
            shapes.append((f"{name}.conv2.weight", (width, width, *KERNEL)))
            shapes += norm(f"{name}.norm2", width)
            if stage > 1 and block == 1:
                shapes.append((f"{name}.shortcut.weight", (width, channels, 1, 1)))
            channels = width
    return shapes + dense("out", channels, classes)


def expected_tensors(architecture: Architecture, shape: Shape, classes: int) -> Shapes:
    """Returns names and shapes of a seed's tensors, in their order."""
    if min(shape) < 1 or math.prod(shape) > MOST_INPUT or not 2 <= classes <= MOST_CLASSES:
        raise Malformed("no model has such inputs or classes")
    makers = {"linear": mlp_shapes, "mlp": mlp_shapes, "cnn": cnn_shapes, "resnet": resnet_shapes}
    shapes = makers[architecture.kind](architecture, shape, classes)
    if sum(math.prod(size) for _, size in shapes) > MOST_WEIGHTS or len(shapes) > MOST_TENSORS:
        raise Malformed("too many weights or tensors")
    return shapes


def write_payload(tensors: Sequence[Tensor]) -> bytes:
    """Returns tensors as a node writes them."""
    header: dict[str, Any] = {}
    end = 0
    for tensor in tensors:
        begin, end = end, end + 4 * len(tensor.values)
        header[tensor.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(pack_floats(tensor.values) for tensor in tensors)


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses an object that has a key twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key twice in one object")
    return found


def parse_header(text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise Malformed("the header does not begin with {")
    try:
        header = json.loads(text.decode(), object_pairs_hook=distinct)
    except (ValueError, RecursionError) as error:
        raise Malformed("the header is not JSON") from error
    if not isinstance(header, dict) or not 1 <= len(header) <= MOST_TENSORS:
        raise Malformed("the header does not name 1 to 512 tensors")
    return header


def whole(values: Any, least: int, most_items: int) -> list[int]:
    """Returns a list of whole numbers from `least`, written as such."""
    if not isinstance(values, list) or not 1 <= len(values) <= most_items:
        raise Malformed("not a list of a length that is allowed")
    if any(type(value) is not int or value < least for value in values):
        raise Malformed(f"not whole numbers from {least}")
    return values


def read_payload(payload: bytes) -> list[Tensor]:
    """Returns the tensors of a payload in the order of their values. Raises Malformed for what a node refuses."""
    if not 8 <= len(payload) <= MOST_PAYLOAD:
        raise Malformed("too short or too long")
    length = int.from_bytes(payload[:8], "little")
    if length > min(MOST_HEADER, len(payload) - 8):
        raise Malformed("the header is too long")
    data = payload[8 + length :]
    found: list[tuple[int, int, str, tuple[int, ...]]] = []
    for name, entry in parse_header(payload[8 : 8 + length]).items():
        if not 1 <= len(name.encode()) <= MOST_NAME:
            raise Malformed("a name of a length that is not allowed")
        if (
            not isinstance(entry, dict)
            or set(entry) != {"dtype", "shape", "data_offsets"}
            or entry["dtype"] != "F32"
        ):
            raise Malformed(f"{name} is not described as a tensor of F32")
        shape = tuple(whole(entry["shape"], 1, MOST_DIMENSIONS))
        begin, end = (whole(entry["data_offsets"], 0, 2) + [0])[:2]
        if end - begin != 4 * math.prod(shape):
            raise Malformed(f"{name}: offsets do not fit the shape")
        found.append((begin, end, name, shape))
    found.sort()
    covered = 0
    for begin, end, name, _ in found:
        if begin != covered:
            raise Malformed(f"a hole or an overlap before {name}")
        covered = end
    if covered != len(data):
        raise Malformed("bytes that belong to no tensor")
    return [Tensor(name, shape, unpack_floats(data[begin:end])) for begin, end, name, shape in found]


def check_seed(text: str, shape: Shape, classes: int, payload: bytes) -> list[Tensor]:
    """Returns a seed's tensors. Raises Malformed for a seed that a node refuses."""
    expected = expected_tensors(parse_architecture(text), shape, classes)
    tensors = read_payload(payload)
    if [(tensor.name, tensor.shape) for tensor in tensors] != expected:
        raise Malformed(f"not the tensors of {text}")
    for tensor in tensors:
        if not all(abs(value) <= MOST_WEIGHT for value in tensor.values):
            raise Malformed(f"{tensor.name} holds a number that is not finite or beyond 10,000")
    return tensors
