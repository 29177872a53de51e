// Checks a running server with the official client: npm install openai, then URL=http://127.0.0.1:8080/v1 MODEL=name node openai_client.mjs
import OpenAI from 'openai';
import assert from 'node:assert';
const c = new OpenAI({baseURL:process.env.URL, apiKey:'unused', maxRetries:0});
const models = await c.models.list(); assert.equal(models.data[0].id,process.env.MODEL);
const r = await c.chat.completions.create({model:process.env.MODEL, messages:[{role:'user',content:'Hello, who are you?'}], max_tokens:20, temperature:0, logprobs:true, top_logprobs:2});
assert.equal(r.choices[0].message.role,'assistant'); assert.equal(r.usage.completion_tokens, r.choices[0].logprobs.content.length);
const s = await c.chat.completions.create({model:process.env.MODEL, messages:[{role:'user',content:'Hello, who are you?'}], max_tokens:20, temperature:0, stream:true, stream_options:{include_usage:true}});
let text='', usage=null, n=0; for await (const p of s){ n++; text += p.choices[0]?.delta?.content ?? ''; usage = p.usage ?? usage; }
assert.equal(text, r.choices[0].message.content); assert.equal(usage.completion_tokens, r.usage.completion_tokens);
const comp = await c.completions.create({model:process.env.MODEL, prompt:['a','public static'], max_tokens:5, n:2, seed:3}); assert.equal(comp.choices.length,4);
for (const [bad,status,param] of [[{model:'x',messages:[{role:'user',content:'a'}]},404,'model'],[{model:process.env.MODEL,messages:[]},400,'messages'],[{model:process.env.MODEL,messages:[{role:'user',content:'a'}],temperature:9},400,'temperature'],[{model:process.env.MODEL,messages:[{role:'user',content:'a'}],tools:[{type:'function',function:{name:'f'}}]},400,'tools']]) {
  try { await c.chat.completions.create(bad); assert.fail('no error'); } catch (e) { assert.equal(e.status,status,e.message); assert.equal(e.param,param); }
}
const ctl = new AbortController();
const long = await c.completions.create({model:process.env.MODEL, prompt:'A', max_tokens:480, stream:true, temperature:1}, {signal: ctl.signal});
let seen=0; try { for await (const p of long) { if (++seen===5) ctl.abort(); } } catch(e) {}
await new Promise(r=>setTimeout(r,1500));
const m = await (await fetch(process.env.URL.replace(/v1$/,'metrics'))).text();
assert.match(m,/bts4j_cancelled_total \d\.0/); assert.match(m,/bts4j_running 0\.0/);
console.log('all checks passed;', n, 'chunks; cancelled after', seen);
