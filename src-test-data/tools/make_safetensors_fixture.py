"""Makes bts-core/src/test/resources/checkpoint/all-types.{safetensors,json} with Hugging Face's own writer.

    python src-test-data/tools/make_safetensors_fixture.py

Made with Python 3.11, safetensors 0.8.0, torch 2.13.0. Deterministic: a second run gives the same bytes. The header
holds one metadata key only, because the reference writer does not fix the order of several.
all-types.json holds, by tensor, dtype, shape and all values: integers as such, floats with full precision of a double
(inf, -inf and nan as strings), truth values as 0 and 1.
"""
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).resolve().parents[2] / "bts-core/src/test/resources/checkpoint"
FLOATS = [0.0, -0.0, 1.0, -1.5, 0.1, 65504.0, 6e-8, math.inf, -math.inf, math.nan]
NAMES = {torch.bool: "BOOL", torch.uint8: "U8", torch.int8: "I8", torch.int16: "I16", torch.uint16: "U16",
         torch.float16: "F16", torch.bfloat16: "BF16", torch.int32: "I32", torch.uint32: "U32", torch.float32: "F32",
         torch.float64: "F64", torch.int64: "I64", torch.uint64: "U64"}

tensors = {
    "bool": torch.tensor([[True, False, True]]),
    "scalar": torch.tensor(-2.75),
    "scalar.bf16": torch.tensor(3.140625, dtype=torch.bfloat16),
    "empty": torch.zeros(0, dtype=torch.float32),
    "empty.matrix": torch.zeros(3, 0, 2, dtype=torch.int64),
    "größe.重み.🧵": torch.tensor([[1, 2], [3, 4]], dtype=torch.int32),
    'quote".back\\slash\ttab\x1f': torch.tensor([7], dtype=torch.uint8),
    "": torch.tensor([5], dtype=torch.int8),
    "four.dimensions": torch.arange(24, dtype=torch.float32).reshape(2, 3, 1, 4) / 7,
}
for kind in (torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.uint32, torch.int64, torch.uint64):
    limits = torch.iinfo(kind)
    tensors[str(kind)[6:]] = torch.tensor([limits.min, 0, 1, limits.max], dtype=kind)
for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
    tensors[str(kind)[6:]] = torch.tensor(FLOATS, dtype=kind).reshape(2, 5)


def number(value):
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int) or math.isfinite(value) else str(value)


FOLDER.mkdir(parents=True, exist_ok=True)
save_file(tensors, FOLDER / "all-types.safetensors", metadata={"maker": 'safetensors "0.8.0" für Java'})
values = {name: {"dtype": NAMES[t.dtype], "shape": list(t.shape), "values": [number(v) for v in t.flatten().tolist()]}
          for name, t in tensors.items()}
(FOLDER / "all-types.json").write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
