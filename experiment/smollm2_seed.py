#!/usr/bin/env python3
"""Compares bts4j's reading of a GGUF file with that of transformers: logits, greedy answers to twenty questions by the chat template, bits per byte of a text, and a four-way choice
through lm-evaluation-harness. Needs torch, transformers, gguf, lm_eval, and bts4j built (mvn -q -DskipTests package).
usage: smollm2_seed.py MODEL.gguf TEXT.jsonl OUT.json [logits] [chat] [bits] [harness]   (all parts if none is named; OUT.json keeps the others' figures)"""
import json, math, os, re, subprocess, sys, tempfile, time, urllib.request
import numpy, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUESTIONS = ["What is the capital of France?", "Write a short poem about the sea.", "How do I boil an egg?", "Explain gravity to a child.", "What is the opposite of hot?",
    "Name three primary colours.", "Translate 'good morning' into German.", "Write a Python function that adds two numbers.", "What is photosynthesis?", "Who wrote Romeo and Juliet?",
    "Give me a tip for better sleep.", "What does a compiler do?", "Summarise the story of Cinderella in two sentences.", "What is the largest planet?", "How are rainbows made?",
    "Write a polite email that asks for a day off.", "What is a prime number?", "Why is the sky blue?", "List some uses of a paper clip.", "Is a tomato a fruit?"]
ANSWER, LENGTH, WINDOWS = 48, 256, 48

gguf, text, out = sys.argv[1:4]
parts = sys.argv[4:] or ["logits", "chat", "bits", "harness"]
found = json.load(open(out)) if os.path.exists(out) else {}
work = tempfile.mkdtemp()
folder, file = os.path.split(os.path.abspath(gguf))
bts = os.path.join(HOME, "bts")
subprocess.run([bts, "convert", gguf, f"{work}/model", "--dtype", "float32"], check=True)   # the same weights, dequantised, with tokenizer.json and the template
tokenizer = AutoTokenizer.from_pretrained(f"{work}/model")
model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()

def classpath():
    module = re.compile(r"(^|:)[^:]*/(bts-[a-z0-9]+)/target/")
    return module.sub(lambda m: f"{m[1]}{HOME}/{m[2]}/target/", open(f"{HOME}/bts-cli/target/classpath.txt").read().strip())
def documents(): return [json.loads(line)["text"] for line in open(text, encoding="utf-8")]
def save(part, figures):
    found[part] = figures
    with open(out, "w") as target: json.dump(found, target, indent=1); target.write("\n")
    print(part, json.dumps(figures)[:600], flush=True)
@torch.no_grad()
def logits(ids): return model(torch.tensor([ids])).logits[0].float()

def compare_logits():
    lines = [tokenizer.encode(d, add_special_tokens=False)[:LENGTH] for d in documents()[:8]]
    with open(f"{work}/ids", "w") as ids: ids.writelines(" ".join(map(str, line)) + "\n" for line in lines)
    subprocess.run(["java", "-cp", classpath(), f"{HOME}/experiment/Logits.java", gguf, f"{work}/ids", f"{work}/logits"], check=True)
    ours = numpy.fromfile(f"{work}/logits", dtype=">f4").reshape(-1, model.config.vocab_size)
    theirs = torch.cat([logits(line) for line in lines]).numpy()
    save("logits", dict(texts=len(lines), tokens=len(theirs), largest_difference=float(abs(ours - theirs).max()), largest_logit=float(abs(theirs).max()),
        same_best_token=float((ours.argmax(1) == theirs.argmax(1)).mean())))

class Server:
    def __enter__(self):
        self.process = subprocess.Popen([bts, "serve", f"{work}/model", "--port", "0", "--dtype", "float32", "--json", "--name", "seed"], stdout=subprocess.PIPE, text=True)
        self.address = "http://127.0.0.1:" + re.search(r":(\d+)", self.process.stdout.readline().split("http", 1)[1])[1]
        return self
    def __exit__(self, *_): self.process.terminate(); self.process.wait()
    def chat(self, question):
        body = json.dumps(dict(model="seed", messages=[dict(role="user", content=question)], temperature=0, max_tokens=ANSWER)).encode()
        request = urllib.request.Request(f"{self.address}/v1/chat/completions", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=600))["choices"][0]["message"]["content"]

def compare_chat():
    answers = []
    with Server() as server:
        for question in QUESTIONS:
            ids = tokenizer.apply_chat_template([dict(role="user", content=question)], add_generation_prompt=True, return_tensors="pt", return_dict=True)
            written = model.generate(**ids, max_new_tokens=ANSWER, do_sample=False, pad_token_id=0)[0, ids["input_ids"].shape[1]:]
            answers.append((tokenizer.decode(written, skip_special_tokens=True), server.chat(question)))
    save("chat", dict(questions=len(answers), equal=sum(a.strip() == b.strip() for a, b in answers), answers=[b for _, b in answers]))

def compare_bits():
    cut = f"{work}/text.jsonl"
    ids, texts = [], []
    for d in documents():
        if len(ids) > WINDOWS * LENGTH: break
        ids += tokenizer.encode(d, add_special_tokens=False); texts.append(d)
    with open(cut, "w") as target: target.writelines(json.dumps(dict(text=d)) + "\n" for d in texts)
    ours = json.loads(subprocess.run([bts, "eval", f"{work}/model", "--data", f"english={cut}", "--dtype", "float32", "--sequence", str(LENGTH), "--json"], check=True, capture_output=True, text=True).stdout)
    # the letters of byte-level BPE stand for one byte each
    sizes = {i: 0 if t in tokenizer.all_special_tokens else len(t) for t, i in tokenizer.get_vocab().items()}
    bits = size = 0
    for at in range(0, len(ids) - 1, LENGTH):
        window = ids[at:at + LENGTH + 1]
        losses = torch.nn.functional.cross_entropy(logits(window[:-1]), torch.tensor(window[1:]), reduction="none")
        bits += float(losses.double().sum()) / math.log(2); size += sum(sizes[i] for i in window[1:])
    save("bits", dict(bytes=size, ours=ours["domains"]["english"]["bits_per_byte"] if isinstance(ours["domains"], dict) else ours["domains"][0]["bits_per_byte"], transformers=bits / size))

def compare_harness():
    """MMLU's development questions that the harness ships, each with its four answers as continuations."""
    import lm_eval, yaml
    from lm_eval.tasks import TaskManager
    source = os.path.join(os.path.dirname(lm_eval.__file__), "tasks/mmlu/flan_cot_fewshot")
    rows = []
    for subject in sorted(os.listdir(source))[:60]:
        if not subject.startswith("mmlu_"): continue
        sample = yaml.safe_load(open(f"{source}/{subject}"))["fewshot_config"]["samples"][0]
        question, *found_choices = (part.strip() for part in re.split(r"\([ABCD]\)", sample["question"]))
        right = re.search(r"answer is \(([ABCD])\)", sample["target"])
        if len(found_choices) == 4 and all(found_choices) and right and len(question) < 400: rows.append(dict(context=f"Question: {question}\nAnswer:", choices=found_choices, answer="ABCD".index(right[1])))
    if len(rows) < 30: sys.exit(f"only {len(rows)} questions were found in {source}: this script was written for lm_eval 0.4.11")
    with open(f"{work}/choice.jsonl", "w") as target: target.writelines(json.dumps(row) + "\n" for row in rows[:30])
    with open(f"{work}/task.yaml", "w") as target: target.write(f"""task: local_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: {work}/choice.jsonl}}}}
output_type: multiple_choice
test_split: test
doc_to_text: "{{{{context}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list: [{{metric: acc, aggregation: mean, higher_is_better: true}}]
""")
    def run(name, arguments):
        result = lm_eval.simple_evaluate(model=name, model_args=arguments, tasks=["local_choice"], task_manager=TaskManager(include_path=work, include_defaults=False), log_samples=True, bootstrap_iters=0)
        return result["results"]["local_choice"]["acc,none"], [float(r[0]) for s in result["samples"]["local_choice"] for r in s["filtered_resps"]]
    theirs = run("hf", dict(pretrained=model, tokenizer=tokenizer, batch_size=4))
    with Server() as server:
        ours = run("local-completions", dict(model="seed", base_url=f"{server.address}/v1/completions", tokenizer=f"{work}/model", tokenized_requests=True, max_length=512, batch_size=4))
    save("harness", dict(questions=len(rows[:30]), log_likelihoods=len(ours[1]), largest_difference=max(abs(a - b) for a, b in zip(ours[1], theirs[1])), mean=sum(ours[1]) / len(ours[1]),
        accuracy=ours[0], accuracy_hf=theirs[0]))

for part in parts:
    begin = time.time()
    {"logits": compare_logits, "chat": compare_chat, "bits": compare_bits, "harness": compare_harness}[part]()
    print(f"{part}: {time.time() - begin:.0f} s", flush=True)
