"""Writes src-test-data/golden/sft/packing.json: the lengths of the documents that trl's best-fit-decreasing packing puts together. Needs trl 1.16.0 and datasets. Run: python3 sft_packing_golden.py"""
import json
import random
from pathlib import Path

from datasets import Dataset
from trl import pack_dataset

rng = random.Random(8)
cases = []
for capacity, count in ((64, 200), (33, 40), (8, 25)):
    lengths = [rng.randint(2, capacity * 5 // 4) for _ in range(count)]
    packed = pack_dataset(Dataset.from_dict({"input_ids": [[1] * length for length in lengths]}), capacity, "bfd")
    cases.append({"capacity": capacity, "lengths": lengths, "sequences": [list(each) for each in packed["seq_lengths"]]})
(Path(__file__).parents[1] / "golden" / "sft" / "packing.json").write_text(json.dumps({"cases": cases}))
print([len(case["sequences"]) for case in cases])
