"""Writes src-test-data/chat/sft.json.gz: token ids and loss masks of 100 conversations by six published chat templates, as trl's SFTTrainer prepares them: with
assistant_only_loss by the templates that mark the assistant's part, and with completion_only_loss by those that do not. Tokens: src-test-data/tokenizer and the templates' own marks.
Needs trl 1.16.0 and transformers. Run: python3 sft_masks_golden.py"""
import gzip
import json
import random
import tempfile
from pathlib import Path

from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import SFTConfig, SFTTrainer

DATA = Path(__file__).parents[1]
TEMPLATES = ["qwen2_5", "llama3", "qwen3", "phi3", "glm4moe", "gemma3"]
MARKS = ["<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|user|>", "<|assistant|>", "<|system|>", "<|observation|>",
         "<bos>", "<start_of_turn>", "<end_of_turn>", "<think>", "</think>", "<tool_call>", "</tool_call>", "[gMASK]", "<sop>"]
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "The weather of a town.", "parameters": {"type": "object", "properties": {
    "town": {"type": "string"}, "days": {"type": "integer"}}, "required": ["town"]}}}]
TEXTS = ["Hello", "How are you today?", "I'm fine, thank you.\n", "  What is 17 * 23?  ", "391", "naïve café — 数学 🙂", "Grüße aus Köln!\n\n* one\n* two\n", "def f(x):\n    return x + 1\n",
         "ünï🙂", "", "{\"a\": [1, 2.5, null]}", "A line.\r\nAnother.", "नमस्ते दुनिया", "الله", "\tTabs\tand  spaces ", "Tell me a story about a fox and a crow, please.", "Once upon a time", "x" * 40]


def conversation(rng, number):
    messages = []
    tools = None
    if rng.random() < 0.4:
        messages.append({"role": "system", "content": rng.choice(TEXTS)})
    for turn in range(rng.randint(1, 4)):
        messages.append({"role": "user", "content": rng.choice(TEXTS)})
        if number % 7 == 3 and turn == 0:
            tools = TOOLS
            arguments = {"town": rng.choice(["Köln", "Lyon"]), "days": rng.randint(1, 5)}
            messages.append({"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": arguments}}]})
            messages.append({"role": "tool", "name": "weather", "content": "sunny, 21.5 °C"})
        messages.append({"role": "assistant", "content": rng.choice(TEXTS)})
    return {"messages": messages, **({"tools": tools} if tools else {})}


def tokenizer(template):
    found = PreTrainedTokenizerFast(tokenizer_file=str(DATA / "tokenizer" / "tokenizer.json"), bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>")
    found.add_special_tokens({"additional_special_tokens": MARKS})
    found.chat_template = (DATA / "chat" / "templates" / "trl" / (template + ".jinja")).read_text()
    return found


def prepared(rows, template, **how):
    processing = tokenizer(template)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(processing), hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, max_position_embeddings=4096))
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(output_dir=folder, max_length=None, report_to=[], use_cpu=True, shuffle_dataset=False, **how)
        trainer = SFTTrainer(model=model, args=arguments, processing_class=processing, train_dataset=Dataset.from_list(rows))
    return [{"ids": row["input_ids"], "counted": [int(label != -100) for label in row["labels"]]} for row in trainer.train_dataset]


def accepts(template, row):
    try:
        tokenizer(template).apply_chat_template(row["messages"], tools=row.get("tools"))
        return True
    except Exception:  # the template raises an exception for what it does not know
        return False


def main():
    rng = random.Random(27)
    rows = [conversation(rng, number) for number in range(100)]
    marked, prompted = {}, {}
    for template in TEMPLATES:
        taken = [i for i, row in enumerate(rows) if accepts(template + "_training", row)]
        # rows of one shape go together, for a dataset has one type of row
        found = {}
        for tools in (False, True):
            part = [i for i in taken if ("tools" in rows[i]) == tools]
            if part:
                found.update(zip(part, prepared([rows[i] for i in part], template + "_training", assistant_only_loss=True)))
        marked[template + "_training"] = {str(i): found[i] for i in taken}
        taken = [i for i in taken if "tools" not in rows[i] and accepts(template, rows[i])]
        split = [{"prompt": rows[i]["messages"][:-1], "completion": rows[i]["messages"][-1:]} for i in taken]
        prompted[template] = {str(i): each for i, each in zip(taken, prepared(split, template, completion_only_loss=True))}
        print(template, len(marked[template + "_training"]), len(prompted[template]))
    first = len(PreTrainedTokenizerFast(tokenizer_file=str(DATA / "tokenizer" / "tokenizer.json")))
    ids = {mark: tokenizer(TEMPLATES[0]).convert_tokens_to_ids(mark) for mark in MARKS}
    assert min(ids.values()) == first
    text = json.dumps({"special": ids, "bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|pad|>", "rows": rows, "messages": marked, "completions": prompted}, separators=(",", ":"))
    (DATA / "chat" / "sft.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
