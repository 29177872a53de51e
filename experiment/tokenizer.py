"""Trains the experiment's byte-level BPE tokenizer on the first megabytes of every domain; needs the Python package tokenizers.
usage: tokenizer.py CORPUS_FOLDER [OUT_FOLDER]. Deterministic: the same corpus gives the same file. Its result lies beside it, in tokenizer/."""
import glob, json, os, sys
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

BYTES = 3_000_000
corpus = sys.argv[1]
out = sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizer")


def texts():
    for file in sorted(glob.glob(os.path.join(corpus, "*.train.jsonl"))):
        lines = open(file, encoding="utf-8").readlines()
        left = BYTES
        for i in range(len(lines)):  # spread over the file, whose sources follow one another
            text = json.loads(lines[i * 7919 % len(lines)])["text"]
            if left <= 0:
                break
            left -= len(text.encode())
            yield text


t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
t.decoder = decoders.ByteLevel()
special = ["<|pad|>", "<|begin|>", "<|end|>"]
t.train_from_iterator(texts(), trainers.BpeTrainer(vocab_size=4096, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
t.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 1)])
os.makedirs(out, exist_ok=True)
t.save(os.path.join(out, "tokenizer.json"))
config = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|pad|>", "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1024}
json.dump(config, open(os.path.join(out, "tokenizer_config.json"), "w"), indent=1)
for file in sorted(glob.glob(os.path.join(corpus, "*.val.jsonl"))):
    held = [json.loads(line)["text"] for line in open(file, encoding="utf-8")]
    size, tokens = sum(len(x.encode()) for x in held), sum(len(x.ids) for x in t.encode_batch(held))
    print(os.path.basename(file), size, "bytes", tokens, "tokens", round(size / tokens, 2), "bytes per token")
