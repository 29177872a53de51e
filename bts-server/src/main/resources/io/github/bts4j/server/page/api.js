// The server's interface: models, answers as streams of tokens, gates; and what to do about each error.

let key = '';
export const useKey = text => { key = text; };
export const hasKey = () => key !== '';

/** What the server or the network refused: a message, what to do about it, and whether the same request may succeed later. */
export class Refusal extends Error {
  constructor(message, advice, {status = 0, again = true} = {}) {
    super(message);
    Object.assign(this, {advice, status, again});
  }
}

const ADVICE = {
  401: 'Type the API key of this server above the message.',
  403: 'Switch this expert off, or use a key that may have it.',
  404: 'Reload the page: the server may serve another model now.',
  408: 'The connection is slow. Try it again.',
  413: 'Shorten the message, or begin a new chat.',
  429: 'Other requests are being answered. Try it again in a moment.',
  500: 'Try it again. If it happens once more, see the log of the server.',
  503: 'The server is about to stop, or overloaded. Try it again in a moment.',
  504: 'Ask for fewer tokens in the settings, or start the server with a longer --timeout.',
};

function advice(status, error) {
  if (status === 400 && /context|too long|tokens/i.test(error.message ?? '')) return 'Ask for fewer tokens in the settings, shorten the message, or begin a new chat.';
  if (status === 400 && error.param) return 'Change ' + error.param.replaceAll('_', ' ') + ' in the panel below.';
  return ADVICE[status] ?? (status >= 500 ? ADVICE[500] : 'Change the message or the settings.');
}

function refusal(status, error = {}) {
  const message = typeof error.message === 'string' ? error.message : 'The server answered with status ' + status + '.';
  return new Refusal(message, advice(status, error), {status, again: status !== 401 && status !== 404});
}

const gone = () => new Refusal('The server does not answer.', 'See whether it still runs (bts serve) and your network is up, then try it again.');

async function call(path, body, signal) {
  const options = {signal, headers: {...(key ? {Authorization: 'Bearer ' + key} : {}), ...(body ? {'Content-Type': 'application/json'} : {})}};
  let response;
  try {
    response = await fetch(path, body ? {...options, method: 'POST', body: JSON.stringify(body)} : options);
  } catch (error) {
    throw error.name === 'AbortError' ? error : gone();
  }
  if (response.ok) return response;
  let error;
  try { error = (await response.json()).error; } catch { /* not this server's */ }
  throw refusal(response.status, error ?? undefined);
}

/** {@return the model that is served} */
export async function model() {
  return (await (await call('/v1/models')).json()).data[0];
}

/** {@return the gates along a text that is given as a whole} */
export async function trace(body, signal) {
  return (await call('/bts/gates', body, signal)).json();
}

/** Lines of a stream of server-sent events, as they come. */
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    let part;
    try { part = await reader.read(); } catch (error) { throw error.name === 'AbortError' ? error : gone(); }
    if (part.done) return;
    const all = (rest + part.value).split('\n');
    rest = all.pop();
    yield* all;
  }
}

const ALTERNATIVES = 5;

/**
 * An answer, part by part: {tokens, text, finish, usage, names, layers}, where a token is {text, name, logprob, top, weights}, top the most likely ones at its place and
 * weights those of its gates, by stitch and model.
 */
export async function* answer(body, gates, signal) {
  const chat = Boolean(body.messages);
  const logprobs = chat ? {logprobs: true, top_logprobs: ALTERNATIVES} : {logprobs: ALTERNATIVES};
  const response = await call(chat ? '/v1/chat/completions' : '/v1/completions', {...body, ...logprobs, ...(gates ? {gates} : {}), stream: true, stream_options: {include_usage: true}}, signal);
  let complete = false;
  for await (const line of lines(response)) {
    if (line.startsWith('data: [DONE]')) complete = true;
    if (!line.startsWith('data: {')) continue;
    const part = JSON.parse(line.slice(6));
    if (part.error) throw refusal(part.error.type === 'server_error' ? 500 : 400, part.error);
    const choice = part.choices[0];
    const text = (chat ? choice?.delta?.content : choice?.text) ?? '';
    yield {text, tokens: choice ? tokens(choice, chat, text) : [], finish: choice?.finish_reason ?? null, usage: part.usage ?? null, names: part.gates?.models, layers: part.gates?.after_layers};
  }
  if (!complete) throw gone();
}

function tokens(choice, chat, text) {
  const known = choice.logprobs ? (chat ? chatTokens(choice.logprobs.content ?? []) : textTokens(choice.logprobs)) : [];
  if (known.length === 0) return text ? [{text, name: text, logprob: null, top: [], weights: choice.gates?.weights[0] ?? null}] : [];
  known.forEach((token, i) => Object.assign(token, {text: i === 0 ? text : '', weights: choice.gates?.weights[i] ?? null})); // the server sends every token by itself
  return known;
}

const chatTokens = content => content.map(({token, logprob, top_logprobs: top}) =>
  ({name: token, logprob, top: (top ?? []).map(one => ({name: one.token, logprob: one.logprob}))}));

const textTokens = ({tokens: names, token_logprobs: values, top_logprobs: tops}) => names.map((name, i) =>
  ({name, logprob: values[i], top: Object.entries(tops?.[i] ?? {}).map(([other, logprob]) => ({name: other, logprob})).sort((a, b) => b.logprob - a.logprob)}));
