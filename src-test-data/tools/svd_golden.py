"""What truncated singular value decompositions of given matrices lose, computed exactly in float64 by numpy: AdapterExtraction is compared with it.
Needs numpy. Usage: python svd_golden.py"""
import json, os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-core", "src", "test", "resources", "io", "github", "bts4j", "core", "adapter", "svd.json")

# by row i and column j; AdapterExtractionTest has the same
MATRICES = {
    "decaying": lambda i, j: 1 / (1 + np.abs(i - 0.4 * j)),
    "flat": lambda i, j: np.modf(np.sin(12.9898 * (i + 1) + 78.233 * (j + 1)) * 4375.85453)[0],
}
cases = []
for name, matrix in MATRICES.items():
    for rows, columns in ((600, 1400), (1100, 560), (48, 700)):
        s = np.linalg.svd(matrix(np.arange(rows)[:, None].astype(float), np.arange(columns)[None, :].astype(float)), compute_uv=False)
        for rank in (1, 8, 32):
            cases.append(dict(matrix=name, rows=rows, columns=columns, rank=rank, error=float(np.sqrt(np.sum(s[rank:] ** 2) / np.sum(s ** 2)))))
with open(out, "w") as file:
    json.dump(dict(numpy=np.__version__, cases=cases), file, indent=1)
