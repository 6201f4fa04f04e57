"""Reference sets and network ids (seeds.md)."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import Malformed
from .fields import pack
from .floats import pack_floats, rounded
from .identity import digest_of

Shape = tuple[int, int, int]
LARGEST_VALUE = 1e19
WHITE = 255
IMAGES = "scale-1/255"
TABLE = "standardised-by-reference"
COLUMNS_ITEM = 1
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def shape_from(sizes: Sequence[int]) -> Shape:
    """Returns channels, height and width as a shape."""
    channels, height, width = sizes
    return channels, height, width


@dataclass(frozen=True)
class ReferenceSet:
    """Public examples: `values` is what the digest is over, example after example."""

    preprocessing: str
    shape: Shape
    values: list[float]
    columns: tuple[str, ...] = ()

    @property
    def digest(self) -> bytes:
        return digest_of(pack_floats(self.values))

    def seen(self, values: Sequence[float]) -> list[float]:
        """Returns values of any file of this network as models see them."""
        if self.preprocessing == IMAGES:
            return list(values)
        width = len(self.columns)
        scales = [scale_of(self.values[column::width]) for column in range(width)]
        out = []
        for place, value in enumerate(values):
            shift, factor = scales[place % width]
            out.append(rounded(rounded(value - shift) * factor))
        return out

    def rows(self) -> list[list[float]]:
        """Returns the examples as models see them."""
        return rows_of(self.seen(self.values), self.shape)


def rows_of(values: Sequence[float], shape: Shape) -> list[list[float]]:
    """Cuts values into examples."""
    size = math.prod(shape)
    return [list(values[at : at + size]) for at in range(0, len(values), size)]


def scale_of(column: Sequence[float]) -> tuple[float, float]:
    """Returns shift and factor of a column. The sums are taken row by row, in double precision."""
    total = 0.0
    for value in column:
        total += value
    mean = total / len(column)
    squares = 0.0
    for value in column:
        squares += (value - mean) * (value - mean)
    deviation = math.sqrt(squares / len(column))
    return rounded(mean), rounded(1.0 / deviation) if deviation > 0.0 else 0.0


def read_number(text: str) -> float:
    """Returns the float32 that a field of a table holds."""
    if not NUMBER.fullmatch(text):
        raise Malformed(f"{text!r} is not a finite number")
    value = rounded(float(text))
    if not math.isfinite(value) or abs(value) > LARGEST_VALUE:
        raise Malformed(f"{text!r} is too large")
    return value


def read_table(text: str, label: str = "label") -> tuple[ReferenceSet, list[str]]:
    """Reads a table; its labels are empty where it has none."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if len(rows) < 2:
        raise Malformed("a table needs a header and a row")
    header = rows[0]
    features = [place for place, name in enumerate(header) if name != label]
    columns = tuple(header[place] for place in features)
    if len(set(columns)) != len(columns):
        raise Malformed("two columns have one name")
    values: list[float] = []
    labels: list[str] = []
    for row in rows[1:]:
        if len(row) != len(header):
            raise Malformed("rows of different lengths")
        values += [read_number(row[place]) for place in features]
        labels += [row[place] for place, name in enumerate(header) if name == label]
    return ReferenceSet(TABLE, (1, 1, len(columns)), values, columns), labels


def read_images(data: bytes) -> ReferenceSet:
    """Reads images from the bytes of an IDX file."""
    if data[:3] != b"\x00\x00\x08" or len(data) < 4 or data[3] not in (3, 4):
        raise Malformed("not an IDX file of images")
    header = 4 + 4 * data[3]
    sizes = [int.from_bytes(data[at : at + 4], "big") for at in range(4, header, 4)]
    pixels = data[header:]
    if 0 in sizes or len(pixels) != math.prod(sizes):
        raise Malformed("more or fewer pixels than announced")
    shape = shape_of(sizes)
    if len(sizes) == 4 and has_channels_last(sizes):
        pixels = channels_first(pixels, shape)
    return ReferenceSet(IMAGES, shape, [rounded(pixel / WHITE) for pixel in pixels])


def has_channels_last(sizes: Sequence[int]) -> bool:
    second, last = sizes[1], sizes[3]
    return (last in (1, 3) and second not in (1, 3)) or (last <= 4 < second)


def shape_of(sizes: Sequence[int]) -> Shape:
    if len(sizes) == 3:
        return 1, sizes[1], sizes[2]
    if has_channels_last(sizes):
        return sizes[3], sizes[1], sizes[2]
    return sizes[1], sizes[2], sizes[3]


def channels_first(pixels: bytes, shape: Shape) -> bytes:
    channels, size = shape[0], math.prod(shape)
    images = [pixels[at : at + size] for at in range(0, len(pixels), size)]
    return b"".join(image[channel::channels] for image in images for channel in range(channels))


def description_of(
    name: str,
    classes: Sequence[str],
    reference: ReferenceSet,
    *,
    is_key: bool = False,
    columns_bound: bool = True,
) -> bytes:
    """Returns what a network's id is the hash of. `name` is the text of the network's key if `is_key`."""
    fields = [
        "unlearnd network 1",
        ("key " if is_key else "name ") + name,
        list(reference.shape),
        list(classes),
        reference.preprocessing,
        reference.digest,
    ]
    if reference.columns and columns_bound:
        fields.append([[COLUMNS_ITEM, list(reference.columns)]])
    return pack(fields)


def network_id_of(name: str, classes: Sequence[str], reference: ReferenceSet, **options: bool) -> bytes:
    """Returns the id of a network; see description_of()."""
    return digest_of(description_of(name, classes, reference, **options))
