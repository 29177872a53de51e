"""Writes src-test-data/chat/templates.json.gz: what transformers' apply_chat_template makes of published chat templates (src-test-data/chat/templates, see NOTICE there) and the conversations below:
the text, or none where it refuses. Of templates with generation blocks also which characters are the assistant's. The time is that of NOW.
With a folder as argument: the same of that folder's *.jinja files, into the file that is the second argument. Run: python3 chat_templates_golden.py"""
import copy
import datetime
import gzip
import json
import sys
from pathlib import Path

import transformers.utils.chat_template_utils as utils
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

NOW = "2026-03-05T07:08:09"
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a place.\nUse it \"often\".", "parameters": {"type": "object", "properties": {
    "city": {"type": "string", "description": "A city", "enum": ["Paris", "Zürich"]}, "days": {"type": "integer"}, "units": {"type": ["string", "null"]}}, "required": ["city"]}}}
SEARCH = {"type": "function", "function": {"name": "search", "description": "Searches.", "parameters": {"type": "object", "properties": {"queries": {"type": "array", "items": {"type": "string"}}}, "required": []},
          "return": {"type": "string"}}}
USER = {"role": "user", "content": "What is the weather in Paris?"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"id": "abc123DEF", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris", "days": 2, "x": [1.5, None, True]}}}]}
RESULT = {"role": "tool", "tool_call_id": "abc123DEF", "name": "get_weather", "content": "{\"sun\": true}"}
CONVERSATIONS = [
    {"messages": [USER], "add_generation_prompt": True},
    {"messages": [{"role": "system", "content": " Be brief. "}, USER, {"role": "assistant", "content": " Sunny.\n"}, {"role": "user", "content": "false"}], "add_generation_prompt": True},
    {"messages": [{"role": "system", "content": "S"}, USER, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "0"}, {"role": "assistant", "content": "Zero"}]},
    {"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}, {"role": "user", "content": "  "}], "add_generation_prompt": True},
    {"messages": [USER, CALL, RESULT, {"role": "assistant", "content": "It is sunny."}, {"role": "user", "content": "Thanks"}], "tools": [TOOL, SEARCH], "add_generation_prompt": True},
    {"messages": [{"role": "system", "content": "Use tools."}, USER, CALL, RESULT], "tools": [TOOL], "add_generation_prompt": True, "arguments": {"enable_thinking": False}},
    {"messages": [USER, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nHi", "reasoning_content": None}, {"role": "user", "content": "More"}, {"role": "assistant", "content": "Yes", "reasoning_content": "I think so."}],
     "arguments": {"enable_thinking": True}},
    {"messages": [{"role": "user", "content": "ünï 🙂 数 <s></s><|im_end|><|eot_id|><|end|>{{ x }} {% if %} '\"\\ &<b>"}, {"role": "assistant", "content": "🙂"}, {"role": "user", "content": "\u200b\u2028x\ttab\r\n"}], "add_generation_prompt": True},
    {"messages": [USER, {"role": "assistant", "content": "The weather is "}], "continue_final_message": True},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "See this: "}, {"type": "image", "image": "x.png"}, {"type": "text", "text": "ok?"}]}], "add_generation_prompt": True},
    {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}, {"role": "assistant", "content": "d"}, {"role": "developer", "content": "e"}]},
    {"messages": [USER, {"role": "assistant", "content": "Wait.", "reasoning_content": "Look it up.", "tool_calls": [CALL["tool_calls"][0], {"type": "function", "function": {"name": "search", "arguments": {"queries": ["a", "b"]}}}]},
                  RESULT, {"role": "tool", "name": "search", "content": "none"}, {"role": "assistant", "content": None, "reasoning_content": "Done."}], "tools": [TOOL, SEARCH],
     "documents": [{"title": "T", "text": "Text of it"}], "arguments": {"reasoning_effort": "high", "custom": {"a": [1]}}},
]


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromisoformat(NOW)


def main():
    utils.datetime = Fixed
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "chat" / "templates"
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else folder.parent / "templates.json.gz"
    answers = {}
    for file in sorted(folder.rglob("*.jinja")):
        template = file.read_text(encoding="utf-8")
        texts = []
        for conversation in CONVERSATIONS:
            given = copy.deepcopy(conversation)
            arguments = given.pop("arguments", {})
            try:
                text = tokenizer.apply_chat_template(given["messages"], chat_template=template, tokenize=False, **{k: v for k, v in given.items() if k != "messages"}, **arguments)
            except Exception:
                texts.append(None)
                continue
            spans = []
            if "generation" in template and not given.get("continue_final_message"):
                given = copy.deepcopy(conversation)
                messages = utils._normalize_chat_messages(given["messages"])
                spans = utils.render_jinja_template(conversations=[messages], tools=given.get("tools"), documents=given.get("documents"), chat_template=template, return_assistant_tokens_mask=True,
                                                    add_generation_prompt=given.get("add_generation_prompt", False), **tokenizer.special_tokens_map, **arguments)[1][0]
            texts.append([text, [list(span) for span in spans]])
        answers[str(file.relative_to(folder))] = texts
    data = json.dumps({"made_with": "transformers " + utils.__dict__.get("__version__", "5.24.0"), "now": NOW, "conversations": CONVERSATIONS, "templates": answers}, separators=(",", ":")).encode()
    target.write_bytes(gzip.compress(data, 9, mtime=0))
    print(len(answers), "templates", sum(t is not None for a in answers.values() for t in a), "texts", sum(bool(t and t[1]) for a in answers.values() for t in a), "with spans", target.stat().st_size)


if __name__ == "__main__":
    main()
