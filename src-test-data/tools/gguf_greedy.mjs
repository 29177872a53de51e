// The greedy text of llama.cpp from a GGUF file, for a comparison with bts generate --temperature 0.
// Needs node-llama-cpp (npm install node-llama-cpp@3.22.1, without building). Usage: node gguf_greedy.mjs FILE.gguf PROMPT TOKENS
import {getLlama} from "node-llama-cpp";

const [file, prompt, tokens] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: file});
const context = await model.createContext({contextSize: 256, threads: 1});
const sequence = context.getSequence();
const begun = [model.tokens.bos, ...model.tokenize(prompt, false)];
const made = [];
for await (const token of sequence.evaluate(begun, {temperature: 0})) {
    made.push(token);
    if (made.length >= Number(tokens) || token === model.tokens.eos) break;
}
console.log(JSON.stringify({ids: made, text: model.detokenize(made)}));
process.exit(0);
