// What llama.cpp makes of the tokenizers of ../leniency: ids of texts, and the ids of roles.
// Needs node-llama-cpp (npm install node-llama-cpp@3.22.1, without building). Usage: node leniency_golden.mjs   Writes ../leniency/llama.cpp.json
import {getLlama} from "node-llama-cpp";
import fs from "node:fs";

const folder = new URL("../leniency/", import.meta.url);
const texts = ["a", " a", "Hello, world!", "It's 12345 o'clock", " leading and trailing ", "naïve café — 数学 🙂\t\n  12345", "👩‍👩‍👧 é́",
    "def f(x):\n    return x  # ok\r\n", "ÄÖÜ ß ¿qué? Ελληνικά русский العربية हिन्दी", "tabs\t\tand\n\n\nlines", "x".repeat(70), "I'LL we'Ve THEY'RE",
    "1234567890 3.14159 1,000", "$5 + a=b <tag> ~x^2|y", "((a))[[b]] {c}!?...", "\u200b\ufeff zero width", "  two   three    four", "end   ", "٣٤٥٦ ½ ² Ⅷ", "don't!'s 's"];
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const result = {texts};
for (const name of ["bpe-default", "bpe-untyped", "bpe-smaug-bpe", "spm-without-ids"]) {
    const model = await llama.loadModel({modelPath: new URL(name + ".gguf", folder).pathname, vocabOnly: true});
    result[name] = {bos: model.tokens.bos, eos: model.tokens.eos, addsBos: model.tokens.shouldPrependBosToken, ids: texts.map((text) => [...model.tokenize(text, false)])};
    await model.dispose();
}
fs.writeFileSync(new URL("llama.cpp.json", folder), JSON.stringify(result, null, 0) + "\n");
