"""Runs lm-evaluation-harness (0.4.13 was used), unmodified, on a small random Llama: choice and cloze items over the bundled corpus, and some that test how texts are cut.
Writes the model and golden.json (items, log-likelihoods, what is greedy, the harness's metrics) to bts-train's test resources; also p-values and intervals from SciPy.
Usage: python choice_golden.py"""
import json, os, random, shutil, tempfile
import numpy, scipy.stats, torch
import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

here = os.path.dirname(os.path.abspath(__file__))
corpus = os.path.join(here, "../../bts-examples/src/main/resources/io/github/bts4j/examples/corpus")
out = os.path.join(here, "../../bts-train/src/test/resources/io/github/bts4j/train/eval/harness")
os.makedirs(out, exist_ok=True)
torch.manual_seed(5)
random.seed(5)
CONTEXT = 96
model = LlamaForCausalLM(LlamaConfig(vocab_size=2048, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
                                     max_position_embeddings=CONTEXT, bos_token_id=1, eos_token_id=2, tie_word_embeddings=True))
with torch.no_grad():
    for name, p in model.named_parameters():
        p.copy_((p if "norm" in name else torch.randn_like(p) * 0.5).to(torch.bfloat16).float())
model.to(torch.bfloat16).save_pretrained(out)
os.remove(os.path.join(out, "generation_config.json"))
os.chmod(os.path.join(out, "model.safetensors"), 0o644)
model = LlamaForCausalLM.from_pretrained(out, dtype=torch.float32).eval()  # not model.float(): the rotary frequencies were rounded with the weights
tokenizer = AutoTokenizer.from_pretrained(os.path.join(here, "../tokenizer"))
texts = [json.loads(line)["text"] for name in ("english", "lang2", "code") for line in open(os.path.join(corpus, name + ".jsonl"), encoding="utf-8")]


def greedy(context, words):
    """What the model itself goes on with, cut where the text gives back the same tokens."""
    ids = tokenizer.encode(context)
    more = model.generate(torch.tensor([ids]), max_new_tokens=words, do_sample=False)[0][len(ids):].tolist()
    text = tokenizer.decode(more)
    return text if tokenizer.encode(context + text) == ids + more and context == context.rstrip() else None


choices, cloze = [], []
for text in random.sample([t for t in texts if len(t) > 300], 24):
    at = text.index(" ", random.randrange(len(text) - 250))
    cut = text.index(" ", at + 1 + random.randrange(80)) if " " in text[at + 100:at + 200] else at + 60
    right = text[cut:cut + random.randrange(10, 40)]
    wrong = [" " + random.choice(texts)[50:50 + random.randrange(10, 40)] for _ in range(random.choice((1, 3, 3, 3)))]
    if text[at + 1:cut].strip() and right.strip() and right not in wrong:
        options = wrong + [right]
        random.shuffle(options)
        choices.append(dict(context=text[at + 1:cut], choices=options, answer=options.index(right)))
        cloze.append(dict(context=text[at + 1:cut], target=right))
        for n in (1, 2, 3):
            own = greedy(text[at + 1:cut], n)
            if own and n == random.randrange(1, 4):
                cloze.append(dict(context=text[at + 1:cut], target=own))
choices += [
    dict(context="the Lord ", choices=["said", "went up", "año", "日本語"], answer=1),  # space at the context's end
    dict(context="int i = 0;\n\u00a0\t", choices=["return i;", "i++;"], answer=0),  # white space of other kinds
    dict(context="", choices=["En el principio", "In the beginning"], answer=0),
    dict(context="  \n", choices=["public", "private"], answer=1),
    dict(context="<|begin|>It is", choices=[" a truth", " not"], answer=0),  # begins with the begin token
    dict(context="prin", choices=["cipio creó", "cess of all the"], answer=0),  # tokens across the border
    dict(context=texts[0][:500], choices=[" one that is longer than the other ones are", " two"], answer=0),  # longer than the model's context
]
cloze += [dict(context="", target="Dios"), dict(context="y Dios dijo: ", target="Sea la luz")]

folder = tempfile.mkdtemp()
for name, rows in (("choice", choices), ("cloze", cloze)):
    with open(os.path.join(folder, name + ".jsonl"), "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
with open(os.path.join(folder, "choice.yaml"), "w") as file:
    file.write(f"""task: local_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/choice.jsonl}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
target_delimiter: ""
metric_list: [{{metric: acc}}, {{metric: acc_norm}}, {{metric: acc_bytes}}]
""")
with open(os.path.join(folder, "cloze.yaml"), "w") as file:
    file.write(f"""task: local_cloze
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/cloze.jsonl}}}}
output_type: loglikelihood
test_split: test
doc_to_text: "{{{{context}}}}"
doc_to_target: "{{{{target}}}}"
target_delimiter: ""
metric_list: [{{metric: acc}}]
""")
# one token less than the context: the harness, which does not feed the last token, then cuts where the scorer does
lm = HFLM(pretrained=model, tokenizer=tokenizer, max_length=CONTEXT - 1, batch_size=4)
found = lm_eval.simple_evaluate(model=lm, tasks=["local_choice", "local_cloze"], task_manager=TaskManager(include_path=folder, include_defaults=False),
                                log_samples=True, bootstrap_iters=0)
METRICS = ("acc", "acc_norm", "acc_bytes")
golden = dict(choice=[], cloze=[], harness={m: found["results"]["local_choice"][m + ",none"] for m in METRICS})
golden["harness"]["cloze"] = found["results"]["local_cloze"]["acc,none"]
for sample in sorted(found["samples"]["local_choice"], key=lambda s: s["doc_id"]):
    golden["choice"].append(dict(choices[sample["doc_id"]], log_likelihoods=[float(r[0]) for r in sample["filtered_resps"]], **{m: sample[m] for m in METRICS}))
for sample in sorted(found["samples"]["local_cloze"], key=lambda s: s["doc_id"]):
    response, = sample["filtered_resps"]
    golden["cloze"].append(dict(cloze[sample["doc_id"]], log_likelihood=float(response[0]), greedy=bool(response[1])))

random.seed(6)
golden["mcnemar"] = [dict(a=a, b=b, p=scipy.stats.binomtest(a, a + b).pvalue if a + b else 1.0)
                     for a, b in [(0, 0), (1, 0), (5, 0), (3, 12), (12, 3), (7, 7), (100, 141), (0, 60), (900, 1100), (30000, 30500), (20, 2000)]]
first = numpy.array([1.0 if random.random() < 0.62 else 0.0 for _ in range(300)])
second = numpy.array([x if random.random() < 0.8 else float(random.random() < 0.4) for x in first])
bits = numpy.array([random.gammavariate(20, 30) for _ in range(200)])
size = numpy.array([float(random.randrange(300, 700)) for _ in range(200)])


def interval(data, statistic):
    found = scipy.stats.bootstrap(data, statistic, paired=True, vectorized=True, n_resamples=200000, batch=2000, method="percentile", rng=numpy.random.default_rng(7))
    return [float(found.confidence_interval.low), float(found.confidence_interval.high)]


golden["bootstrap"] = dict(
    first=first.astype(int).tolist(), second=second.astype(int).tolist(), bits=bits.tolist(), size=size.tolist(),
    share=interval((first,), lambda x, axis: x.mean(axis)),
    difference=interval((first, second), lambda x, y, axis: (x - y).mean(axis)),
    ratio=interval((bits, size), lambda x, y, axis: x.sum(axis) / y.sum(axis)))
with open(os.path.join(out, "golden.json"), "w", encoding="utf-8") as file:
    json.dump(golden, file, indent=1, ensure_ascii=False)
shutil.rmtree(folder)
print(found["results"], len(golden["choice"]), "choices,", len(golden["cloze"]), "cloze,", sum(c["greedy"] for c in golden["cloze"]), "greedy")
