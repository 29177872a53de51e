// What llama.cpp makes of the texts of ../gguf/phi3-tokens.json with the tokenizer in ../gguf/phi3-tokens.gguf (phi3_tokens.py); writes the ids beside the texts.
// Needs node-llama-cpp (npm install node-llama-cpp@3.22.1, without building). Usage: node phi3_tokens.mjs
import {getLlama} from "node-llama-cpp";
import fs from "node:fs";

const file = (name) => new URL("../gguf/" + name, import.meta.url);
const rows = JSON.parse(fs.readFileSync(file("phi3-tokens.json"))).rows;
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: file("phi3-tokens.gguf").pathname, vocabOnly: true});
const found = rows.map(({text}) => ({text, ids: [...model.tokenize(text, true)]}));
const json = JSON.stringify({"llama.cpp": "node-llama-cpp 3.22.1", rows: found});
fs.writeFileSync(file("phi3-tokens.json"), json.replace(/[\u0080-\uffff]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0")));
process.exit(0);
