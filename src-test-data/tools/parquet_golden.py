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

# conversations, as the Python package datasets writes them
import json
rows = [{"messages": [{"role": "user", "content": "Grüße 🙂", "tool_calls": None}, {"role": "assistant", "content": "Hi", "tool_calls": None}], "tools": None, "chat_template_kwargs": {"think": True, "depth": 3, "share": 0.5}},
        {"messages": [{"role": "user", "content": "weather?", "tool_calls": None},
                      {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"town": "Köln", "days": 2}}}]},
                      {"role": "tool", "content": "sunny", "tool_calls": None}, {"role": "assistant", "content": "Sunny.", "tool_calls": []}],
         "tools": '[{"type": "function", "function": {"name": "weather"}}]', "chat_template_kwargs": None}]


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


table = pa.Table.from_pylist([{"id": i, **row} for i, row in enumerate(rows)])
pq.write_table(table, os.path.join(out, "chat.parquet"), compression="snappy")
pq.write_table(pa.Table.from_pylist([{"prompt": "a", "completion": "b"}]), os.path.join(out, "completions.parquet"))
with open(os.path.join(out, "chat.json"), "w", encoding="utf-8") as file:
    json.dump([without_nulls(row) for row in table.drop_columns(["id"]).to_pylist()], file, ensure_ascii=False, indent=1)
