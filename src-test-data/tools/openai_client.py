"""OpenAI's own Python client (3.57.0 was used) against a running server: chat, what it sends back of its own answers, streaming, log-probabilities, responses, embeddings, errors.
Usage: python openai_client.py http://127.0.0.1:8080/v1 MODEL (a model with a chat template)"""
import sys
import openai

url, model = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
assert [m.id for m in client.models.list()] == [model]
assert client.models.retrieve(model).id == model

talk = [{"role": "user", "content": "Hello"}]
first = client.chat.completions.create(model=model, messages=talk, max_tokens=12, temperature=0, logprobs=True, top_logprobs=3, modalities=["text"], store=False,
                                       prompt_cache_key="k", safety_identifier="s", user="u", n=2, tools=[], tool_choice="none", web_search_options=None, audio=None)
choice = first.choices[0]
tokens = choice.logprobs.content
assert choice.message.refusal is None and first.usage.completion_tokens == 24 or choice.finish_reason == "stop"
joined = b"".join(bytes(t.bytes) for t in tokens if t.bytes is not None).decode(errors="replace")
assert joined.replace("\ufffd", "") == choice.message.content.replace("\ufffd", ""), (joined, choice.message.content)
assert all(len(t.top_logprobs) == 3 and abs(t.logprob - t.top_logprobs[0].logprob) < 1e-6 for t in tokens)

again = client.chat.completions.create(model=model, messages=talk + [choice.message, {"role": "user", "content": "Why?"}], max_tokens=5)
dumped = client.chat.completions.create(model=model, messages=talk + [choice.message.model_dump(), {"role": "user", "content": "Why?"}], max_tokens=5, extra_body={"top_k": -1})
assert again.usage.prompt_tokens == dumped.usage.prompt_tokens

with client.chat.completions.create(model=model, messages=talk, max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True, "include_obfuscation": True}) as stream:
    parts = list(stream)
assert "".join(p.choices[0].delta.content or "" for p in parts if p.choices) == choice.message.content
assert parts[-1].usage.completion_tokens <= 12

text = "It was 3\u20ac in the caf\u00e9"
echo = client.completions.create(model=model, prompt=text, max_tokens=0, echo=True, logprobs=2)
lp = echo.choices[0].logprobs
assert echo.choices[0].text == text and lp.token_logprobs[0] is None
for name, offset, value, top in list(zip(lp.tokens, lp.text_offset, lp.token_logprobs, lp.top_logprobs))[1:]:
    assert name.startswith("bytes:") or text[offset:offset + len(name)] == name, (name, offset)
    assert top[name] == value and 2 <= len(top) <= 3

for wrong in (dict(tools=[{"type": "function", "function": {"name": "f"}}]), dict(reasoning_effort="high")):
    try:
        client.chat.completions.create(model=model, messages=talk, **wrong)
        raise SystemExit(f"{wrong} was accepted")
    except openai.BadRequestError as e:
        assert e.param in wrong and "\n" not in e.message, e
asked = dict(model=model, instructions="Be short.", input=[{"role": "user", "content": "Hello"}], max_output_tokens=12, temperature=0)
whole = client.responses.create(**asked, include=["message.output_text.logprobs"], top_logprobs=2)
assert whole.output_text and whole.status in ("completed", "incomplete")
assert "".join(t.token for t in whole.output[0].content[0].logprobs).replace("\ufffd", "")[:1] == whole.output_text[:1] and whole.usage.output_tokens <= 12
with client.responses.stream(**asked) as stream:
    events = list(stream)
final = events[-1].response  # at max_output_tokens the last event is response.incomplete
assert final.output_text == whole.output_text and [e.type for e in events][:2] == ["response.created", "response.in_progress"], [e.type for e in events]
assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == whole.output_text
turn = client.responses.create(**{**asked, "input": asked["input"] + [item.model_dump() for item in whole.output] + [{"role": "user", "content": "Why?"}]})
assert turn.usage.input_tokens > whole.usage.input_tokens
try:
    client.responses.create(**asked, previous_response_id=whole.id)
    raise SystemExit("previous_response_id was accepted")
except openai.BadRequestError as e:
    assert e.param == "previous_response_id", e

embedded = client.embeddings.create(model=model, input=["The house", "A man"])  # the client asks for base64
plain = client.embeddings.create(model=model, input="The house", encoding_format="float")
assert max(abs(a - b) for a, b in zip(embedded.data[0].embedding, plain.data[0].embedding)) < 1e-6 and abs(sum(x * x for x in plain.data[0].embedding) - 1) < 1e-5
print("the client is served as it expects")
