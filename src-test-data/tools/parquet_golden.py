"""Writes small Parquet files with pyarrow for bts-parquet's tests. Needs pyarrow. Usage: python parquet_golden.py"""
import os
import pyarrow as pa, pyarrow.parquet as pq

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "..", "..", "bts-parquet", "src", "test", "resources", "io", "github", "bts4j", "parquet")
os.makedirs(out, exist_ok=True)
texts = ["one", None, "", "zwei ä \U0001F600", "line\nbreak"] + [f"document {i} " + "word " * (i % 5) for i in range(95)]
table = pa.table({"id": pa.array(range(100), pa.int64()), "text": pa.array(texts, pa.string()), "body": pa.array([b"b%d" % i for i in range(100)], pa.binary()),
                  "tags": pa.array([["x"]] * 100, pa.list_(pa.string()))})
for codec in ("none", "snappy", "gzip", "zstd"):
    pq.write_table(table, os.path.join(out, codec + ".parquet"), compression=codec, row_group_size=30, version="2.6", data_page_version="2.0" if codec == "zstd" else "1.0")
pq.write_table(pa.table({"text": pa.array([b"ok", b"\xff\xfe"], pa.binary())}), os.path.join(out, "no-utf8.parquet"))
