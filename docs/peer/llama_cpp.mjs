// llama.cpp's prefill and greedy decoding of a GGUF file, for a comparison with GgufBenchmark: medians of the times between tokens. With one thread also of the process's processor time.
// Needs node-llama-cpp (npm install node-llama-cpp@3.22.1, without building). Usage: node llama_cpp.mjs FILE.gguf THREADS PROMPT_TOKENS TOKENS ROUNDS [SESSIONS]
import {getLlama} from "node-llama-cpp";
const [file, threads, prompt, tokens, rounds, sessions = 1] = process.argv.slice(2).map((v, i) => i ? Number(v) : v);
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: file});
const context = await model.createContext({contextSize: 1024, threads, batchSize: 512, sequences: sessions});
const ids = Array.from({length: prompt}, (_, i) => 100 + (i * 37) % 1000);
const times = [], processor = [], prefills = [];
let made;
for (let r = 0; r < rounds; r++) {
    const sequence = context.getSequence();
    made = [];
    let last = performance.now();
    const gaps = [], used = [];
    let cpu = process.cpuUsage();
    for await (const token of sequence.evaluate(ids, {temperature: 0, yieldEogToken: true})) {
        made.push(token);
        const now = performance.now();
        if (made.length === 1) prefills.push(now - last); else { gaps.push(now - last); const u = process.cpuUsage(cpu); used.push((u.user + u.system) / 1000); }
        last = now;
        cpu = process.cpuUsage();
        if (made.length > tokens) break;
    }
    gaps.sort((a, b) => a - b);
    used.sort((a, b) => a - b);
    processor.push(used[used.length >> 1]);
    times.push(gaps[gaps.length >> 1]);
    await sequence.clearHistory(); sequence.dispose();
}
// All sessions together: their tokens per second from the moment when each has its first one.
const together = [];
for (let r = 0; sessions > 1 && r < rounds; r++) {
    const sequences = Array.from({length: sessions}, () => context.getSequence());
    let waiting = sessions, begin, go;
    const all = new Promise(resolve => { go = resolve; });
    await Promise.all(sequences.map(async sequence => {
        let n = 0;
        for await (const token of sequence.evaluate(ids, {temperature: 0, yieldEogToken: true})) {
            if (n === 0) { if (--waiting === 0) { begin = performance.now(); go(); } await all; }
            if (++n > tokens) break;
        }
    }));
    together.push(1000 * sessions * tokens / (performance.now() - begin));
    for (const sequence of sequences) { await sequence.clearHistory(); sequence.dispose(); }
}
together.sort((a, b) => a - b);
times.sort((a, b) => a - b); processor.sort((a, b) => a - b); prefills.sort((a, b) => a - b);
console.log(JSON.stringify({file, threads, tokens_per_s: 1000 / times[times.length >> 1], best: 1000 / times[0], ...(threads === 1 ? {tokens_per_processor_s: 1000 / processor[processor.length >> 1]} : {}), prefill_per_s: 1000 * prompt / prefills[prefills.length >> 1], ...(sessions > 1 ? {sessions, together_per_s: together[together.length >> 1]} : {}), ids: made.slice(0, 12)}));
process.exit(0);
