"""What a model computes (seeds.md, "Tensors"): slowly, in double precision, and without a library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .networks import Shape
from .seeds import Architecture, Tensor

Map = list[list[list[float]]]
MOST_GROUPS = 8
EPSILON = 0.00001


def relu(values: list[float]) -> list[float]:
    return [max(0.0, value) for value in values]


def relu_map(maps: Map) -> Map:
    return [[relu(row) for row in channel] for channel in maps]


def to_map(values: Sequence[float], shape: Shape) -> Map:
    _, height, width = shape
    rows = [list(values[at : at + width]) for at in range(0, len(values), width)]
    return [rows[at : at + height] for at in range(0, len(rows), height)]


def flat(maps: Map) -> list[float]:
    return [value for channel in maps for row in channel for value in row]


class Weights:
    """Hands out a model's tensors in their order."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors: Iterator[Tensor] = iter(tensors)

    def next(self) -> Tensor:
        return next(self._tensors)

    def dense(self, inputs: list[float]) -> list[float]:
        weight, bias = self.next(), self.next()
        columns = weight.shape[1]
        return [
            sum(w * x for w, x in zip(weight.values[out * columns : (out + 1) * columns], inputs))
            + bias.values[out]
            for out in range(weight.shape[0])
        ]

    def convolve(self, maps: Map, stride: int = 1, has_bias: bool = False) -> Map:
        weight = self.next()
        bias = self.next().values if has_bias else [0.0] * weight.shape[0]
        return [convolved(maps, weight, out, bias[out], stride) for out in range(weight.shape[0])]

    def normalise(self, maps: Map) -> Map:
        scale, shift = self.next().values, self.next().values
        groups = max(g for g in range(1, MOST_GROUPS + 1) if len(maps) % g == 0)
        size = len(maps) // groups
        out: Map = []
        for first in range(0, len(maps), size):
            values = flat(maps[first : first + size])
            mean = sum(values) / len(values)
            variance = sum((value - mean) ** 2 for value in values) / len(values)
            factor = 1.0 / math.sqrt(variance + EPSILON)
            for channel in range(first, first + size):
                out.append(
                    [
                        [(x - mean) * factor * scale[channel] + shift[channel] for x in row]
                        for row in maps[channel]
                    ]
                )
        return out


def convolved(maps: Map, weight: Tensor, out: int, bias: float, stride: int) -> list[list[float]]:
    """Returns one channel of a convolution."""
    _, channels, kernel, _ = weight.shape
    margin = kernel // 2
    height, width = len(maps[0]), len(maps[0][0])
    rows = []
    for top in range(-margin, height + margin - kernel + 1, stride):
        row = []
        for left in range(-margin, width + margin - kernel + 1, stride):
            total = bias
            for channel in range(channels):
                for dy in range(max(0, -top), min(kernel, height - top)):
                    at = ((out * channels + channel) * kernel + dy) * kernel
                    line = maps[channel][top + dy]
                    for dx in range(max(0, -left), min(kernel, width - left)):
                        total += weight.values[at + dx] * line[left + dx]
            row.append(total)
        rows.append(row)
    return rows


def halved(channel: list[list[float]]) -> list[list[float]]:
    """Returns the largest of each 2 x 2 square."""
    return [
        [
            max(channel[y][x], channel[y][x + 1], channel[y + 1][x], channel[y + 1][x + 1])
            for x in range(0, len(channel[0]) - 1, 2)
        ]
        for y in range(0, len(channel) - 1, 2)
    ]


def block(weights: Weights, maps: Map, narrows: bool) -> Map:
    x = relu_map(weights.normalise(weights.convolve(maps, 2 if narrows else 1)))
    x = weights.normalise(weights.convolve(x))
    skipped = weights.convolve(maps, 2) if narrows else maps
    return relu_map(
        [[[a + b for a, b in zip(*rows)] for rows in zip(*channels)] for channels in zip(x, skipped)]
    )


def resnet_features(architecture: Architecture, weights: Weights, maps: Map) -> list[float]:
    x = relu_map(weights.normalise(weights.convolve(maps)))
    for stage in range(len(architecture.widths)):
        for index in range(architecture.extra):
            x = block(weights, x, narrows=stage > 0 and index == 0)
    return [sum(flat([channel])) / len(flat([channel])) for channel in x]


def logits_of(
    architecture: Architecture, tensors: Sequence[Tensor], shape: Shape, seen: Sequence[float]
) -> list[float]:
    """Returns the logits for one example as models see it."""
    weights = Weights(tensors)
    x = list(seen)
    if architecture.kind == "cnn":
        maps = to_map(seen, shape)
        for _ in architecture.widths:
            maps = [halved(channel) for channel in relu_map(weights.convolve(maps, has_bias=True))]
        x = flat(maps)
        if architecture.extra:
            x = relu(weights.dense(x))
    elif architecture.kind == "resnet":
        x = resnet_features(architecture, weights, to_map(seen, shape))
    else:
        for _ in architecture.widths:
            x = relu(weights.dense(x))
    return weights.dense(x)


def class_of(logits: Sequence[float]) -> int:
    """Returns the class with the largest logit."""
    return max(range(len(logits)), key=lambda place: logits[place])
