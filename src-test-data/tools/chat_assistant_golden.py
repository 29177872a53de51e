"""Writes src-test-data/chat/assistant.json: which tokens transformers' apply_chat_template takes for the assistant's (return_assistant_tokens_mask), with the tokenizer of src-test-data/tokenizer.
Run: python3 chat_assistant_golden.py"""
import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast

DATA = Path(__file__).parents[1]
TEMPLATES = ["{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}\n{% endgeneration %}{% else %}{{ m.content }}\n{% endif %}{% endfor %}",
             "{% for m in messages %}{{ bos_token }}{% if m.role == 'assistant' %}{% generation %}{{ bos_token ~ m.content }}{% endgeneration %}{{ eos_token }}{% else %}{{ m.content }}{% endif %}{% endfor %}",
             "{% macro a(m) %}{% generation %}{{ m.content }}{% endgeneration %}{% endmacro %}{% for m in messages %}{{ a(m) if m.role == 'assistant' else m.content }}{% endfor %}"]
CONVERSATIONS = [[("user", "Hello there"), ("assistant", "Hi, how are you?"), ("user", "Fine."), ("assistant", "Good to hear.")],
                 [("user", "ünï 🙂 数"), ("assistant", "🙂🙂 é数 x"), ("user", "🙂"), ("assistant", "")], [("assistant", "alone")]]


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(DATA / "tokenizer" / "tokenizer.json"))
    special = sorted(tokenizer.added_tokens_encoder, key=tokenizer.added_tokens_encoder.get)
    tokenizer.bos_token, tokenizer.eos_token = special[0], special[1]
    cases = []
    for template in TEMPLATES:
        for conversation in CONVERSATIONS:
            messages = [{"role": role, "content": content} for role, content in conversation]
            out = tokenizer.apply_chat_template(messages, chat_template=template, return_assistant_tokens_mask=True, return_dict=True)
            cases.append({"template": template, "messages": messages, "ids": out["input_ids"], "assistant": out["assistant_masks"]})
    (DATA / "chat" / "assistant.json").write_text(json.dumps({"bos_token": special[0], "eos_token": special[1], "cases": cases}, indent=0))
    print(len(cases), [sum(case["assistant"]) for case in cases])


if __name__ == "__main__":
    main()
