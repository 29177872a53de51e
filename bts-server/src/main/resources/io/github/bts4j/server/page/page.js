'use strict';
// Talks with the server's own interface; an answer's gates come from /bts/gates. A model is its number, hub 0, in colours modulo 8.
const $ = id => document.getElementById(id);
let model = null;
let exchanges = []; // of this conversation: {prompt, chat, text, article, target, trace}
let running = null;

const headers = () => ({'Content-Type': 'application/json', ...($('key').value ? {Authorization: 'Bearer ' + $('key').value} : {})});
const off = () => [...document.querySelectorAll('#switches input')].filter(box => !box.checked).map(box => box.value);

function element(tag, text, name) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

function status(text, error) {
  $('status').textContent = text;
  $('status').className = error ? 'error' : '';
}

async function failure(response) {
  try { return (await response.json()).error.message; } catch { return 'status ' + response.status; }
}

async function start() {
  const response = await fetch('/v1/models', {headers: headers()});
  if (response.status === 401) {
    $('key-row').hidden = false;
    $('key').addEventListener('change', start, {once: true});
    return status('This server asks for a key.');
  }
  model = (await response.json()).data[0];
  status('');
  $('model').textContent = model.id + ', context ' + model.context_length + ' tokens';
  $('tokens').max = model.context_length;
  if (model.chat) {
    $('mode').value = 'chat';
    if ($('prompt').value === $('prompt').defaultValue) $('prompt').value = ''; // the beginning of a text, no message
  } else {
    $('mode').querySelector('[value=chat]').remove();
  }
  $('experts').hidden = $('compare-row').hidden = model.experts.length === 0;
  $('switches').replaceChildren(...model.experts.map((name, i) => {
    const label = element('label', '');
    const box = Object.assign(document.createElement('input'), {type: 'checkbox', checked: true, value: name});
    label.append(box, ' ', element('span', '', 'swatch b' + (i + 1) % 8), name);
    return label;
  }));
}

// What the model is told: of a chat, the earlier turns as well.
function request(exchange) {
  if (!exchange.chat) return {prompt: exchange.prompt};
  const turns = exchanges.slice(0, exchanges.indexOf(exchange)).filter(earlier => earlier.chat && earlier.text);
  return {messages: [...turns.flatMap(turn => [{role: 'user', content: turn.prompt}, {role: 'assistant', content: turn.text}]), {role: 'user', content: exchange.prompt}]};
}

// A place for an answer, under a title; a text that is continued stands at its beginning.
function place(exchange, answers, title) {
  const column = document.createElement('div');
  const target = element('div', '', 'answer');
  if (!exchange.chat) target.append(element('span', exchange.prompt, 'given'));
  column.append(element('h3', title), target);
  answers.append(column);
  return target;
}

// Shows a question with places for its answers, and gives that of the seed alone, if there is one.
function show(exchange, without, compare) {
  exchange.article = element('article', '', 'exchange');
  if (exchange.chat) exchange.article.append(element('p', exchange.prompt, 'given'));
  const answers = element('div', '', 'answers');
  exchange.target = place(exchange, answers, without.length ? 'Answer without ' + without.join(', ') : 'Answer');
  const seed = compare ? place(exchange, answers, 'The seed alone') : null;
  exchange.article.append(answers);
  exchanges.push(exchange);
  $('conversation').append(exchange.article);
  conversationChanged();
  toEnd();
  return seed;
}

// Takes a question back to which nothing was answered.
function withdraw(exchange) {
  exchanges.pop();
  exchange.article.remove();
  if (exchange.chat && !$('prompt').value) $('prompt').value = exchange.prompt;
  conversationChanged();
}

function conversationChanged() {
  $('conversation').hidden = $('new').disabled = exchanges.length === 0;
}

const toEnd = () => { $('conversation').scrollTop = $('conversation').scrollHeight; };

async function generate(body, signal, onPiece) {
  const chat = Boolean(body.messages);
  const response = await fetch(chat ? '/v1/chat/completions' : '/v1/completions', {method: 'POST', headers: headers(), signal,
    body: JSON.stringify({...body, model: model.id, max_tokens: Number($('tokens').value), temperature: Number($('temperature').value), stream: true})});
  if (!response.ok) throw new Error(await failure(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const part = JSON.parse(line.slice(6));
      if (part.error) throw new Error(part.error.message);
      const piece = chat ? part.choices[0]?.delta?.content : part.choices[0]?.text;
      if (piece) onPiece(piece);
    }
  }
}

// Writes an answer as it comes, and stays at its end unless the reader has scrolled away from it.
function write(piece, target) {
  const log = $('conversation');
  const following = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  target.append(piece);
  if (following) toEnd();
}

async function send(event) {
  event.preventDefault();
  if (!model || running) return;
  const run = running = new AbortController();
  const exchange = {prompt: $('prompt').value, chat: $('mode').value === 'chat', text: ''};
  const without = off();
  const experts = without.length ? {experts_off: without} : {};
  const compare = $('compare').checked && model.experts.length > 0;
  const seed = show(exchange, without, compare);
  if (exchange.chat) $('prompt').value = '';
  $('gates').hidden = true;
  busy(true);
  status('..');
  const begin = performance.now();
  try {
    const jobs = [generate({...request(exchange), ...experts}, run.signal, piece => { exchange.text += piece; write(piece, exchange.target); })];
    if (compare) jobs.push(generate({...request(exchange), experts_off: model.experts}, run.signal, piece => write(piece, seed)));
    await Promise.all(jobs);
    status(((performance.now() - begin) / 1000).toFixed(1) + ' s');
    if (model.experts.length) await gates(exchange, experts, run.signal);
  } catch (error) {
    run.abort(); // what goes on beside it
    if (running !== run) return; // of a conversation that is gone
    status(error.name === 'AbortError' ? 'stopped' : error.message, error.name !== 'AbortError');
    if (!exchange.text) withdraw(exchange);
  } finally {
    if (running === run) busy(false);
  }
}

function busy(on) {
  if (!on) running = null;
  $('send').disabled = on;
  $('stop').disabled = !on;
  $('conversation').setAttribute('aria-busy', on); // it is read out when it is complete
}

function newChat() {
  running?.abort();
  busy(false);
  exchanges = [];
  $('conversation').replaceChildren();
  $('gates').hidden = true;
  status('');
  $('prompt').focus();
  conversationChanged();
}

async function gates(exchange, experts, signal) {
  const whole = request(exchange);
  if (exchange.chat) whole.messages.push({role: 'assistant', content: exchange.text});
  else whole.prompt += exchange.text;
  const response = await fetch('/bts/gates', {method: 'POST', headers: headers(), signal, body: JSON.stringify({...whole, ...experts, model: model.id})});
  if (!response.ok) throw new Error(await failure(response));
  const trace = exchange.trace = await response.json();
  const chosen = $('stitch').value || String(trace.stitches.length - 1);
  $('stitch').replaceChildren(...trace.stitches.map((stitch, j) =>
    Object.assign(element('option', 'after layer ' + stitch.after_layer), {value: j, selected: String(j) === chosen})));
  $('legend').replaceChildren(...trace.models.map((name, i) => {
    const entry = element('span', '');
    entry.append(element('span', '', 'swatch b' + i % 8), name);
    return entry;
  }));
  const rows = trace.stitches.map(stitch => trace.models.map((name, i) => stitch.weights.reduce((sum, token) => sum + token[i], 0) / stitch.weights.length));
  const row = (cells, tag) => { const made = document.createElement('tr'); made.append(...cells.map(text => element(tag, text))); return made; };
  $('layers').tHead.replaceChildren(row(['after layer', ...trace.models], 'th'));
  $('layers').tBodies[0].replaceChildren(...rows.map((means, j) => row([trace.stitches[j].after_layer, ...means.map(mean => mean.toFixed(2))], 'td')));
  $('gates').hidden = false;
  draw();
}

// The answer in colours: every token in that of the model whose gate favours it at the chosen stitch.
function colour({target, trace}) {
  const weights = trace.stitches[$('stitch').value].weights;
  const spans = [];
  trace.tokens.forEach((text, t) => {
    if (t < trace.answer_start || !text) return;
    const best = weights[t].indexOf(Math.max(...weights[t]));
    const span = element('span', text, 'token m' + best % 8);
    span.title = trace.models.map((name, i) => name + ' ' + weights[t][i].toFixed(2)).join(', ');
    spans.push(span);
  });
  target.replaceChildren(...spans);
}

function draw() {
  const traced = exchanges.filter(exchange => exchange.trace);
  traced.forEach(colour);
  const trace = traced[traced.length - 1].trace;
  const weights = trace.stitches[$('stitch').value].weights;
  const plot = $('plot');
  const last = Math.max(1, weights.length - 1);
  plot.setAttribute('viewBox', '0 0 1000 200');
  plot.setAttribute('preserveAspectRatio', 'none');
  const make = (tag, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };
  const grid = [0.25, 0.5, 0.75].map(y => make('line', {x1: 0, x2: 1000, y1: 200 - 200 * y, y2: 200 - 200 * y}));
  const lines = trace.models.map((name, i) => make('polyline', {class: 'l' + i % 8, points: weights.map((token, t) => `${1000 * t / last},${200 - 196 * token[i] - 2}`).join(' ')}));
  plot.replaceChildren(...grid, ...lines);
}

$('form').addEventListener('submit', send);
$('stop').addEventListener('click', () => running?.abort());
$('stitch').addEventListener('change', draw);
$('new').addEventListener('click', newChat);
$('prompt').addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('form').requestSubmit(); });
start().catch(error => status(error.message, true));
