'use strict';
// Talks with the server's own interface; an answer's gates come from /bts/gates. A model is its number, hub 0, in colours modulo 8.
// Weights lie between 0 and 1: their place in the plot, in units of its view box, as that of everything else there.
const BOX = {left: -4, top: -4, width: 1008, height: 208};
const height = weight => 200 - 200 * weight;
const fromLeft = x => 100 * (x - BOX.left) / BOX.width + '%';
const fromTop = y => 100 * (y - BOX.top) / BOX.height + '%';
const $ = id => document.getElementById(id);
let model = null;
let exchanges = []; // of this conversation: {prompt, chat, text, article, target, trace}
let running = null;
let shown = null; // the exchange whose gates are drawn
let current = 0; // the token of it whose weights are told

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
  modeChanged();
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
  const target = element('div', '', exchange.chat ? 'answer' : 'answer raw');
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
  hideGates();
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
  hideGates();
  status('');
  $('prompt').focus();
  conversationChanged();
}

function modeChanged() {
  const chat = $('mode').value === 'chat';
  $('what').textContent = chat ? 'Message' : 'Text';
  $('prompt').placeholder = chat ? 'What do you want to say to the model?' : 'How does the text begin? The model goes on from there.';
  $('prompt').classList.toggle('raw', !chat); // blanks and line ends count
}

function hideGates() {
  $('gates').hidden = $('token').hidden = true;
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
  $('legend').replaceChildren(...trace.models.map((name, i) => named(i, name)));
  exchange.begin = exchange.chat ? trace.answer_start : tokenAt(trace.tokens, exchange.text.length);
  exchanges.filter(one => one.trace).forEach(colour);
  choose(exchange, Math.min(exchange.begin, trace.tokens.length - 1));
}

function named(i, text) {
  const entry = element('span', '');
  entry.append(element('span', '', 'swatch b' + i % 8), text);
  return entry;
}

// The token with the first of so many characters at the end; the first ones of a text may have lost a blank.
function tokenAt(tokens, characters) {
  let t = tokens.length;
  for (let rest = characters; rest > 0 && t > 0; ) rest -= tokens[--t].length;
  return t;
}

function table(trace) {
  const rows = trace.stitches.map(stitch => trace.models.map((name, i) => stitch.weights.reduce((sum, token) => sum + token[i], 0) / stitch.weights.length));
  const row = (cells, tag) => { const made = document.createElement('tr'); made.append(...cells.map(text => element(tag, text))); return made; };
  $('layers').tHead.replaceChildren(row(['after layer', ...trace.models], 'th'));
  $('layers').tBodies[0].replaceChildren(...rows.map((means, j) => row([trace.stitches[j].after_layer, ...means.map(mean => mean.toFixed(2))], 'td')));
}

// The answer in colours: every token in that of the model whose gate favours it at the chosen stitch.
function colour(exchange) {
  const {target, trace, begin} = exchange;
  const weights = trace.stitches[$('stitch').value].weights;
  const spans = [];
  trace.tokens.forEach((text, t) => {
    if (t < trace.answer_start || !text) return;
    const best = weights[t].indexOf(Math.max(...weights[t]));
    const span = element('span', text, 'token m' + best % 8 + (t < begin ? ' given' : ''));
    span.title = trace.models.map((name, i) => name + ' ' + weights[t][i].toFixed(2)).join(', ');
    span.dataset.token = t;
    spans.push(span);
  });
  target.replaceChildren(...spans);
}

// Tells the weights of one token, which is marked in the text and in the plot of its exchange.
function choose(exchange, t) {
  shown = exchange;
  current = t;
  $('gates').hidden = $('token').hidden = false;
  draw();
}

function draw() {
  const {trace, begin} = shown;
  const weights = trace.stitches[$('stitch').value].weights;
  const last = Math.max(1, weights.length - 1);
  const x = t => 1000 * t / last;
  const plot = $('plot');
  plot.setAttribute('viewBox', Object.values(BOX).join(' '));
  plot.setAttribute('preserveAspectRatio', 'none');
  const make = (tag, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  };
  const upright = (name, t) => make('line', {class: name, x1: x(t), x2: x(t), y1: BOX.top, y2: BOX.top + BOX.height});
  const grid = [0, 0.25, 0.5, 0.75, 1].map(weight => make('line', {class: 'grid', x1: BOX.left, x2: BOX.left + BOX.width, y1: height(weight), y2: height(weight)}));
  const lines = trace.models.map((name, i) => make('polyline', {class: 'l' + i % 8, points: weights.map((token, t) => `${x(t)},${height(token[i])}`).join(' ')}));
  const within = begin > 0 && begin < weights.length;
  plot.replaceChildren(...grid, ...(within ? [upright('begin', begin)] : []), upright('current', current), ...lines);
  $('scale').replaceChildren(...[0, 0.5, 1].map(weight => {
    const number = element('span', weight);
    number.style.top = fromTop(height(weight));
    return number;
  }));
  $('begin').hidden = !within;
  $('begin').style.left = fromLeft(x(begin));
  $('begin').className = begin > last / 2 ? 'left' : '';
  table(trace);
  tell(trace, weights[current]);
}

function tell(trace, weights) {
  const told = trace.models.map((name, i) => name + ' ' + weights[i].toFixed(2));
  document.querySelectorAll('.token[aria-current]').forEach(span => span.removeAttribute('aria-current'));
  shown.target.querySelector(`[data-token="${current}"]`)?.setAttribute('aria-current', 'true');
  $('weights').replaceChildren(...told.map((text, i) => named(i, text)));
  $('spelling').textContent = JSON.stringify(trace.tokens[current]); // with line ends and blanks that can be seen
  $('position').max = trace.tokens.length - 1;
  $('position').value = current;
  $('position').setAttribute('aria-valuetext', [trace.tokens[current], ...told].join(', '));
}

// What was clicked in the text; not what was selected there.
function clicked(event) {
  const span = event.target.closest('.token');
  if (!span || running || !getSelection().isCollapsed) return;
  choose(exchanges.find(exchange => exchange.target.contains(span)), Number(span.dataset.token));
}

function clickedInPlot(event) {
  const box = $('plot').getBoundingClientRect();
  const last = shown.trace.tokens.length - 1;
  const x = BOX.left + BOX.width * (event.clientX - box.left) / box.width;
  choose(shown, Math.min(last, Math.max(0, Math.round(x / 1000 * last))));
}

$('form').addEventListener('submit', send);
$('stop').addEventListener('click', () => running?.abort());
$('stitch').addEventListener('change', () => {
  exchanges.filter(exchange => exchange.trace).forEach(colour);
  draw();
});
$('mode').addEventListener('change', modeChanged);
$('conversation').addEventListener('click', clicked);
$('plot').addEventListener('click', clickedInPlot);
$('position').addEventListener('input', event => {
  choose(shown, event.target.valueAsNumber);
  document.querySelector('.token[aria-current]')?.scrollIntoView({block: 'nearest'});
});
$('new').addEventListener('click', newChat);
$('prompt').addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('form').requestSubmit(); });
if (/Mac|iP/.test(navigator.platform)) $('keys').textContent = '⌘+Enter sends';
start().catch(error => status(error.message, true));
