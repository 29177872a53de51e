"""What is kept of an expert's gain, with SciPy's paired bootstrap: writes retained.json for RetainedGainTest.

    python3 retained_golden.py ../../bts-train/src/test/resources/io/github/bts4j/train/eval/harness/retained.json
"""
import json
import sys

import numpy
import scipy.stats

rng = numpy.random.default_rng(11)
windows = 60
size = rng.integers(300, 900, windows).astype(float)
hard = rng.normal(2.0, 0.4, windows)  # what makes a window hard for all models
bits = {
    "seed": size * (hard + rng.normal(0.20, 0.05, windows)),
    "expert": size * (hard + rng.normal(0.00, 0.05, windows)),
    "model": size * (hard + rng.normal(0.02, 0.05, windows)),
}
share = {
    "seed": (rng.random(windows) < 0.3).astype(float),
    "expert": (rng.random(windows) < 0.8).astype(float),
    "model": (rng.random(windows) < 0.7).astype(float),
}


def kept(seed, expert, model, weights, axis=-1):
    value = lambda scores: scores.sum(axis=axis) / weights.sum(axis=axis)
    return (value(seed) - value(model)) / (value(seed) - value(expert))


def golden(scores, weights):
    data = (scores["seed"], scores["expert"], scores["model"], weights)
    found = scipy.stats.bootstrap(data, kept, paired=True, vectorized=True, n_resamples=200000, batch=2000, method="percentile", rng=numpy.random.default_rng(7))
    return {"value": float(kept(*data)), "interval": [float(found.confidence_interval.low), float(found.confidence_interval.high)]}


with open(sys.argv[1], "w") as out:
    fields = {
        "size": size.tolist(), "bits": {name: scores.tolist() for name, scores in bits.items()}, "bits_kept": golden(bits, size),
        "share": {name: scores.tolist() for name, scores in share.items()}, "share_kept": golden(share, numpy.ones(windows)),
    }
    out.write("{\n" + ",\n".join(f' "{name}": {json.dumps(value)}' for name, value in fields.items()) + "\n}\n")
