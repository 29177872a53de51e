"""What transformers computes with exported stitched models: the check of `bts export`, and golden values for TransformersExportTest.

Usage: mvn test -Dtest=TransformersExportTest -Dbts4j.export=DIR, which writes the models; then python3 export_golden.py DIR GOLDEN OUT.json
  DIR     folders made by `bts export`
  GOLDEN  the cases of src-test-data/golden, computed by the paper's formulas: of a folder of the same name, the logits are compared
Any folder made by `bts export` can be checked alone: python3 export_golden.py --only FOLDER
Needs torch and transformers 5.
"""
import hashlib, json, os, sys
import torch, transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

def sha256(path):
    with open(path, "rb") as f: return hashlib.file_digest(f, "sha256").hexdigest()

def check(folder, ids=None, expected=None):
    model, loaded = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, dtype=torch.float32, output_loading_info=True)
    model.eval()
    assert not any(loaded[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")), loaded
    for file, recorded in model.config.weights_sha256.items():
        assert sha256(os.path.join(folder, file)) == recorded, file + " is not the file that was exported"
    if ids is None:
        ids = torch.randint(3, model.config.vocab_size, (2, 32), generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        logits = model(ids).logits
        if expected is not None:
            difference = (logits - expected).abs().max().item()
            print(f"{folder}: logits differ by at most {difference:.2e} from the formulas'")
            assert difference < 1e-4
        # one token at a time, with keys and values of all streams in the cache
        out, steps = model(ids[:, :5], use_cache=True), []
        steps.append(out.logits)
        for t in range(5, ids.shape[1]):
            cache = getattr(out, "cache", None) if hasattr(out, "cache") else out.past_key_values
            out = model(ids[:, t:t + 1], **{"cache" if hasattr(out, "cache") else "past_key_values": cache})
            steps.append(out.logits)
        difference = (torch.cat(steps, 1) - logits).abs().max().item()
        print(f"{folder}: with the cache they differ by at most {difference:.2e}")
        assert difference < 1e-4
        prompt = ids[:1, :9]
        greedy = model.generate(prompt, max_new_tokens=24, do_sample=False, eos_token_id=None, pad_token_id=0, attention_mask=torch.ones_like(prompt))
        alone = prompt
        for _ in range(24):
            alone = torch.cat([alone, model(alone, use_cache=False).logits[:, -1:].argmax(-1)], 1)
        assert torch.equal(greedy, alone), "generate with its cache gives other tokens than without"
        # rows of unequal length, padded on the left
        padded = torch.cat([torch.zeros(1, 4, dtype=torch.long), prompt[:, :5]], 1)
        mask = torch.ones(2, 9, dtype=torch.long); mask[1, :4] = 0
        rows = model.generate(torch.cat([prompt, padded]), attention_mask=mask, max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)
        short = model.generate(prompt[:, :5], attention_mask=torch.ones(1, 5, dtype=torch.long), max_new_tokens=8, do_sample=False, eos_token_id=None, pad_token_id=0)
        assert torch.equal(rows[1, 9:], short[0, 5:]), "a padded row continues in another way"
    loss = model(ids, labels=ids).loss
    loss.backward()
    assert all(q.grad is not None and q.grad.isfinite().all() for q in model.stitch.parameters() if q.requires_grad)
    return {"input_ids": ids.tolist(), "logits": [[round(x, 6) for x in row] for row in logits[:, -1].tolist()], "loss": loss.item(), "greedy": greedy[0].tolist()}

if __name__ == "__main__":
    if sys.argv[1] == "--only":
        check(sys.argv[2])
        sys.exit()
    exports, golden, target = sys.argv[1:]
    result = {"about": "logits: of the last token of each row; greedy: input_ids[0][:9] and 24 tokens", "versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "cases": {}}
    for name in sorted(os.listdir(exports)):
        formulas = os.path.join(golden, name, "golden.safetensors")
        if not os.path.exists(formulas): formulas = os.path.join(golden, "..", "families", name, "golden.safetensors")
        known = load_file(formulas) if os.path.exists(formulas) else {}
        result["cases"][name] = check(os.path.join(exports, name), known.get("input_ids"), known.get("logits"))
    with open(target, "w") as f:
        json.dump(result, f)
