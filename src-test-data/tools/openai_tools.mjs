// Structured output and tools with the official client: npm install openai zod, then URL=http://127.0.0.1:8080/v1 MODEL=name node openai_tools.mjs
// The model needs a chat template with tools, such as chat/templates/trl/qwen2_5.jinja as chat_template.jinja in its folder; it may have random weights.
import OpenAI from 'openai';
import { zodResponseFormat, zodFunction } from 'openai/helpers/zod';
import { z } from 'zod';
import assert from 'node:assert';
const c = new OpenAI({baseURL: process.env.URL, apiKey: 'unused', maxRetries: 0});
const model = process.env.MODEL;
const messages = [{role: 'user', content: 'Where is the fair, and for how many days?'}];
const Fair = z.object({city: z.enum(['Oslo', 'Rome']), days: z.number().int().min(1).max(14), open: z.boolean().nullable()});
const parsed = await c.chat.completions.parse({model, messages, max_tokens: 1500, temperature: 0.7, seed: 1, response_format: zodResponseFormat(Fair, 'fair')});
Fair.parse(parsed.choices[0].message.parsed);
assert.equal(parsed.choices[0].finish_reason, 'stop');
const stream = c.chat.completions.stream({model, messages, max_tokens: 1500, temperature: 0.7, seed: 2, response_format: zodResponseFormat(Fair, 'fair')});
Fair.parse((await stream.finalChatCompletion()).choices[0].message.parsed);
const called = await c.chat.completions.parse({model, messages, max_tokens: 1500, temperature: 0.7, seed: 3, tool_choice: 'required', parallel_tool_calls: false, tools: [zodFunction({name: 'visit', parameters: Fair})]});
Fair.parse(called.choices[0].message.tool_calls[0].function.parsed_arguments);
const deltas = c.chat.completions.stream({model, messages, max_tokens: 1500, temperature: 0.7, seed: 4, tool_choice: 'required', parallel_tool_calls: false, tools: [zodFunction({name: 'visit', parameters: Fair})]});
Fair.parse((await deltas.finalChatCompletion()).choices[0].message.tool_calls[0].function.parsed_arguments);
let visits = 0;
const runner = c.chat.completions.runTools({model, messages, max_tokens: 1500, temperature: 0.7, seed: 5, tool_choice: {type: 'function', function: {name: 'visit'}},
  tools: [{type: 'function', function: {name: 'visit', parse: JSON.parse, parameters: {type: 'object', properties: {city: {enum: ['Oslo', 'Rome']}}, required: ['city'], additionalProperties: false},
    function: ({city}) => { visits++; assert.ok(['Oslo', 'Rome'].includes(city)); return 'It rains.'; }}}]}, {maxChatCompletions: 2});
await runner.done().catch(() => {});
assert.ok(visits >= 1);
await assert.rejects(c.chat.completions.create({model, messages, response_format: {type: 'json_schema', json_schema: {name: 'x', schema: {type: 'array', uniqueItems: true}}}}),
  e => e.status === 400 && e.param === 'response_format' && e.message.includes("'uniqueItems' at #"));
console.log('all checks passed;', JSON.stringify(parsed.choices[0].message.parsed), visits, 'visits');
