"""Runs lm-evaluation-harness (0.4.13 was used), unmodified, against a running server: a four-way multiple choice over the bundled corpus, tokenised requests.
Writes one line per log-likelihood: number of context tokens, the value, the token ids; `Generator.logProbs` on the ids gives the values in-process.
Usage: python lm_eval_check.py http://127.0.0.1:8080/v1/completions MODEL TOKENIZER_FOLDER OUT.txt
With "hf" in place of the address, MODEL is a folder that `bts export` has written, and the harness's own `hf` model reads it."""
import json, os, random, sys, tempfile
import lm_eval
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer

url, model, tokenizer, out = sys.argv[1:]
corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bts-examples/src/main/resources/io/github/bts4j/examples/corpus")
random.seed(1)
texts = [json.loads(line)["text"] for name in ("english", "lang2", "code") for line in open(os.path.join(corpus, name + ".jsonl"), encoding="utf-8")]
folder = tempfile.mkdtemp()
with open(os.path.join(folder, "choice.jsonl"), "w") as file:
    for text in random.sample([t for t in texts if len(t) > 300], 40):
        at = random.randrange(len(text) - 250)
        right = text[at + 120:at + 170]
        choices = [random.choice(texts)[50:100] for _ in range(3)] + [right]
        random.shuffle(choices)
        if text[at:at + 120].strip() and all(choice.strip() for choice in choices):
            file.write(json.dumps(dict(context=text[at:at + 120], choices=choices, answer=choices.index(right))) + "\n")
with open(os.path.join(folder, "task.yaml"), "w") as file:
    file.write(f"""task: local_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/choice.jsonl}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
target_delimiter: ""
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
""")
if url == "hf":
    loader, arguments = "hf", dict(pretrained=model, tokenizer=tokenizer, trust_remote_code=True, dtype="float32", device="cpu", batch_size=4)
else:
    loader, arguments = "local-completions", dict(model=model, base_url=url, tokenizer=tokenizer, tokenized_requests=True, num_concurrent=4, max_length=512, batch_size=4)
found = lm_eval.simple_evaluate(
    model=loader, tasks=["local_choice"], task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True, bootstrap_iters=0, model_args=arguments)
print(found["results"])
t = AutoTokenizer.from_pretrained(tokenizer)
begin = t.encode("") if url == "hf" else []  # the harness's own models add the begin token
with open(out, "w") as file:
    for sample in found["samples"]["local_choice"]:
        for (context, continuation), response in zip(sample["arguments"], sample["filtered_resps"]):
            spaces = len(context) - len(context.rstrip())
            if spaces:
                context, continuation = context[:-spaces], context[-spaces:] + continuation
            ids = begin + t.encode(context, add_special_tokens=False)
            whole = ids + t.encode(context + continuation, add_special_tokens=False)[len(ids) - len(begin):]  # what the harness sends
            file.write(f"{len(ids)} {float(response[0])!r} {' '.join(map(str, whole))}\n")
