"""Writes tests/golden/logits.json: what the seeds of seeds.json compute. test_learning compares.

Weights and inputs are small multiples of a half, so that all but `resnet` is exact in any order of summation.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from peer import models, networks, seeds
from peer.floats import pack_floats

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
ROWS = 3


def main() -> None:
    out = []
    for stated in json.loads((GOLDEN / "seeds.json").read_text())["seeds"]:
        shape, payload = networks.shape_from(stated["input_shape"]), bytes.fromhex(stated["payload"])
        tensors = seeds.check_seed(stated["architecture"], shape, stated["classes"], payload)
        architecture = seeds.parse_architecture(stated["architecture"])
        size = math.prod(shape)
        rows = [[(i * 5 % 11 - 4) / 2 for i in range(row * size, (row + 1) * size)] for row in range(ROWS)]
        logits = [models.logits_of(architecture, tensors, shape, row) for row in rows]
        seen = pack_floats(value for row in rows for value in row).hex()
        out.append({"architecture": stated["architecture"], "seen": seen, "logits": logits})
    (GOLDEN / "logits.json").write_text(json.dumps({"seeds": out}, indent=1) + "\n")


if __name__ == "__main__":
    main()
