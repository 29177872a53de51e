'use strict';
// Talks with the server's own interface; the last answer's gates come from /bts/gates. A model is its number, hub 0, in colours modulo 8.
const $ = id => document.getElementById(id);
let model = null;
let messages = [];
let trace = null;
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
  if (!model.chat) $('mode').querySelector('[value=chat]').remove();
  $('experts').hidden = $('compare-row').hidden = model.experts.length === 0;
  $('switches').replaceChildren(...model.experts.map((name, i) => {
    const label = element('label', '');
    const box = Object.assign(document.createElement('input'), {type: 'checkbox', checked: true, value: name});
    label.append(box, ' ', element('span', '', 'swatch b' + (i + 1) % 8), name);
    return label;
  }));
}

async function generate(body, target, signal) {
  const chat = Boolean(body.messages);
  const response = await fetch(chat ? '/v1/chat/completions' : '/v1/completions', {method: 'POST', headers: headers(), signal,
    body: JSON.stringify({...body, model: model.id, max_tokens: Number($('tokens').value), temperature: Number($('temperature').value), stream: true})});
  if (!response.ok) throw new Error(await failure(response));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) return text;
    const lines = (rest + value).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const part = JSON.parse(line.slice(6));
      if (part.error) throw new Error(part.error.message);
      const piece = chat ? part.choices[0]?.delta?.content : part.choices[0]?.text;
      if (piece) {
        text += piece;
        target.append(piece);
      }
    }
  }
}

async function send(event) {
  event.preventDefault();
  if (!model || running) return;
  running = new AbortController();
  $('send').disabled = true;
  $('stop').disabled = false;
  status('..');
  const prompt = $('prompt').value;
  const chat = $('mode').value === 'chat';
  const request = chat ? {messages: [...messages, {role: 'user', content: prompt}]} : {prompt};
  const compare = $('compare').checked && model.experts.length > 0;
  $('seed-article').hidden = !compare;
  for (const id of ['answer', 'seed-answer']) {
    $(id).replaceChildren(element('span', chat ? prompt + '\n\n' : prompt, 'given'));
  }
  $('gates').hidden = true;
  const begin = performance.now();
  try {
    const without = off().length ? {experts_off: off()} : {};
    const jobs = [generate({...request, ...without}, $('answer'), running.signal)];
    if (compare) jobs.push(generate({...request, experts_off: model.experts}, $('seed-answer'), running.signal));
    const [text] = await Promise.all(jobs);
    status(((performance.now() - begin) / 1000).toFixed(1) + ' s');
    if (chat) messages = [...request.messages, {role: 'assistant', content: text}];
    if (model.experts.length) await gates({...(chat ? {messages} : {prompt: prompt + text}), ...without});
  } catch (error) {
    status(error.name === 'AbortError' ? 'stopped' : error.message, error.name !== 'AbortError');
  } finally {
    running = null;
    $('send').disabled = false;
    $('stop').disabled = true;
  }
}

async function gates(body) {
  const response = await fetch('/bts/gates', {method: 'POST', headers: headers(), body: JSON.stringify({...body, model: model.id})});
  if (!response.ok) throw new Error(await failure(response));
  trace = await response.json();
  $('stitch').replaceChildren(...trace.stitches.map((stitch, j) =>
    Object.assign(element('option', 'after layer ' + stitch.after_layer), {value: j, selected: j === trace.stitches.length - 1})));
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

function draw() {
  const weights = trace.stitches[$('stitch').value].weights;
  const spans = [];
  trace.tokens.forEach((text, t) => {
    if (t < trace.answer_start || !text) return;
    const best = weights[t].indexOf(Math.max(...weights[t]));
    const span = element('span', text, 'token m' + best % 8);
    span.title = trace.models.map((name, i) => name + ' ' + weights[t][i].toFixed(2)).join(', ');
    spans.push(span);
  });
  const given = $('mode').value === 'chat' && messages.length ? [element('span', messages[messages.length - 2].content + '\n\n', 'given')] : [];
  $('answer').replaceChildren(...given, ...spans);
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
$('mode').addEventListener('change', () => { messages = []; });
$('prompt').addEventListener('keydown', event => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('form').requestSubmit(); });
start().catch(error => status(error.message, true));
