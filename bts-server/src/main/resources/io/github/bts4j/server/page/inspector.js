// The gates of one answer: what its colours mean, the plot, and everything that is known of one token.

import {Plot} from './plot.js';
import {element, largest, meaning, models, named} from './palette.js';
import {remark, showStitch} from './run.js';

const $ = id => document.getElementById(id);
const percent = logprob => { const share = 100 * Math.exp(logprob); return share >= 0.1 ? share.toFixed(1) + ' %' : '< 0.1 %'; };
const spelled = text => JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"') || '(nothing)'; // line ends can be seen

export class Inspector {
  /** onStitch is called when another stitch gives the colours. */
  constructor(onStitch) {
    this.plot = new Plot($('plot'), $('scale'), $('begin'));
    this.run = this.target = null;
    $('stitch').addEventListener('change', () => { showStitch(Number($('stitch').value)); onStitch(); });
    $('position').addEventListener('input', event => { this.run.hovered = null; this.select(event.target.valueAsNumber); this.reveal(); });
    $('plot').addEventListener('click', event => { this.select(this.plot.at(event.clientX)); this.reveal(); });
    $('plot').addEventListener('pointermove', event => this.hover(this.plot.at(event.clientX)));
    $('plot').addEventListener('pointerleave', () => this.hover(null));
    $('with-prompt').addEventListener('click', () => this.run.whole?.());
    $('close-gates').addEventListener('click', () => this.open(false));
    $('gates-button').addEventListener('click', () => this.open(!document.body.classList.contains('gates-open')));
  }

  /** On a narrow screen the gates are opened and closed. */
  open(on) {
    document.body.classList.toggle('gates-open', on);
    $('gates-button').setAttribute('aria-expanded', on);
  }

  hide() {
    this.run = this.target = null;
    this.open(false);
    $('gates').hidden = $('gates-button').hidden = true;
  }

  /** Shows an answer and, unless it is null, selects a token of it. */
  show(run, target, token = null) {
    if (this.run && this.run !== run) {
      this.run.selected = this.run.hovered = null;
      remark(this.run, this.target);
      this.target.classList.remove('shown');
    }
    Object.assign(this, {run, target});
    target.classList.add('shown');
    if (token !== null) run.selected = token;
    this.draw();
  }

  select(token) {
    this.run.selected = token;
    this.tell();
  }

  hover(token) {
    if (!this.run || this.run.hovered === token) return;
    this.run.hovered = token;
    this.tell();
  }

  reveal() {
    this.target.querySelector('[aria-current]')?.scrollIntoView({block: 'nearest'});
  }

  /** Draws everything anew, as when tokens have come. */
  draw() {
    const {run} = this;
    const all = run.all;
    const rows = all.map(token => run.weights(token));
    const gates = rows.some(Boolean);
    $('gates').hidden = $('gates-button').hidden = all.length === 0;
    $('colours').hidden = $('means').hidden = !gates;
    $('whose').textContent = run.title;
    $('with-prompt').hidden = !gates || !run.whole || run.before.length > 0;
    if (gates) {
      $('stitch').replaceChildren(...run.layers.map(layer => Object.assign(element('option', 'after layer ' + layer), {value: layer, selected: layer === run.layer})));
      $('stitch-row').hidden = run.layers.length < 2;
      $('meaning').textContent = meaning(run.layer);
      $('legend').replaceChildren(...run.names.map(name => named(name)));
      this.plot.draw(run.names, rows, run.before.length);
      const means = mean(rows.filter(Boolean));
      $('plot').setAttribute('aria-label', 'Gate weights along ' + all.length + ' tokens. Means: ' + run.names.map((name, i) => name + ' ' + means[i].toFixed(2)).join(', '));
      table(run);
    }
    if (run.selected === null || run.selected >= all.length) run.selected = Math.min(run.before.length, Math.max(0, all.length - 1));
    this.tell();
  }

  /** Tells about the token that is pointed at, or else the selected one. */
  tell() {
    const {run, target} = this;
    const all = run.all;
    const at = Math.min(run.hovered ?? run.selected, all.length - 1);
    const token = all[at];
    remark(run, target);
    if (!token) return;
    if (run.weights(token)) this.plot.mark(run.selected, run.hovered);
    const weights = run.weights(token);
    $('weights').replaceChildren(...(weights ? run.names.map((name, i) => bar(name, weights[i])) : []));
    $('chances').replaceChildren(...chances(token));
    $('spelling').textContent = spelled(token.text || token.name);
    $('position').max = all.length - 1;
    $('position').value = at;
    $('position').setAttribute('aria-valuetext', [spelled(token.text || token.name), ...(weights ? run.names.map((name, i) => name + ' ' + weights[i].toFixed(2)) : [])].join(', '));
  }
}

function mean(rows) {
  return rows.length ? rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length) : models().map(() => 0);
}

function bar(name, weight) {
  const row = named(name, '');
  row.setAttribute('role', 'listitem');
  const track = element('span', '', 'track');
  const fill = element('span', '', 'fill');
  fill.style.width = 100 * weight + '%';
  track.append(fill);
  row.append(element('span', name, 'name'), track, element('span', weight.toFixed(2), 'value'));
  return row;
}

/** The token's own probability, and the most likely ones at its place. */
function chances(token) {
  if (token.logprob === null) return [element('p', 'A token of the prompt: it was given, not chosen.', 'soft')];
  const head = element('p', '', 'soft');
  head.append('Log-probability ', element('b', token.logprob.toFixed(3)), ', probability ' + percent(token.logprob));
  if (token.top.length === 0) return [head];
  const list = element('table', '', 'alternatives');
  list.append(element('caption', 'Most likely tokens at this place'));
  const body = element('tbody');
  for (const one of token.top) {
    const row = element('tr', '', one.name === token.name ? 'chosen' : '');
    const share = element('td', percent(one.logprob));
    const name = element('th');
    name.scope = 'row';
    name.append(element('code', spelled(one.name)), one.name === token.name ? ' chosen' : '');
    row.append(name, share, element('td', one.logprob.toFixed(3)));
    body.append(row);
  }
  list.append(body);
  return [head, list];
}

function table(run) {
  const row = (cells, tag) => {
    const made = element('tr');
    made.append(...cells.map((text, i) => Object.assign(element(i === 0 ? 'th' : tag, String(text)), {scope: i === 0 ? tag === 'th' ? 'col' : 'row' : tag === 'th' ? 'col' : ''})));
    return made;
  };
  const rows = run.layers.map((layer, j) => {
    const known = run.all.filter(token => token.weights).map(token => token.weights[j]);
    return row(['after layer ' + layer, ...mean(known).map(value => value.toFixed(2))], 'td');
  });
  $('layers').tHead.replaceChildren(row(['stitch', ...run.names], 'th'));
  $('layers').tBodies[0].replaceChildren(...rows);
}

/** The model that most of an answer's tokens listen to, with its share of them; null without gates. */
export function favourite(run) {
  const counts = new Map();
  const known = run.tokens.map(token => run.weights(token)).filter(Boolean);
  known.forEach(weights => { const name = run.names[largest(weights)]; counts.set(name, (counts.get(name) ?? 0) + 1); });
  const best = [...counts].sort((a, b) => b[1] - a[1])[0];
  return best ? {name: best[0], share: best[1] / known.length} : null;
}
