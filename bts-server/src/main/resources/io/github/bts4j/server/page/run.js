// One answer of a set of experts: its tokens with their gates and log-probabilities, and how they are shown.

import * as markdown from './markdown.js';
import {button, colour, element, experts, largest, models, strength} from './palette.js';

const CHUNK = 64; // tokens of plain text that are drawn anew together
let stitch = null; // the stitch whose gates give the colours, or the last one
export const showStitch = layer => { stitch = layer; };

/** An answer that comes, or has come. */
export class Run {
  constructor(off, lead) {
    Object.assign(this, {off, lead, text: '', tokens: [], before: [], names: [], layers: [], state: 'waiting', error: null, finish: null, usage: null});
    this.begun = performance.now();
    this.first = this.ended = null;
    this.whole = null; // asks for the gates of what was before the answer
    this.plain = false; // whether Markdown is shown as it was written
    this.hovered = this.selected = null;
    this.drawn = [];
    this.version = 0; // of the colours
  }

  get all() { return [...this.before, ...this.tokens]; }
  get going() { return this.state === 'waiting' || this.state === 'streaming'; }
  get layer() { return this.layers.includes(stitch) ? stitch : this.layers.at(-1); }

  /** Takes a part of the answer as it comes. */
  take(part) {
    this.names = part.names ?? this.names;
    this.layers = part.layers ?? this.layers;
    for (const token of part.tokens) {
      this.first ??= performance.now();
      this.state = 'streaming';
      this.tokens.push({...token, start: this.text.length});
      this.text += token.text;
      this.ended = performance.now();
    }
    this.finish = part.finish ?? this.finish;
    this.usage = part.usage ?? this.usage;
  }

  /** Takes the gates of a text that ends with this answer; its tokens are found by their places. */
  adopt({models: names, stitches, tokens, answer_start: start}) {
    const weights = t => stitches.map(one => one.weights[t]);
    this.names = names;
    this.layers = stitches.map(one => one.after_layer);
    let begin = start;
    if (this.lead !== null) { // counted from the end, as a blank may be lost at the beginning
      begin = tokens.length;
      for (let rest = this.text.length; rest > 0 && begin > 0; ) rest -= tokens[--begin].length;
    }
    let t = begin, end = tokens[begin]?.length ?? 0;
    for (const token of this.tokens) {
      while (end <= token.start && t < tokens.length - 1) end += tokens[++t].length;
      if (t < tokens.length) token.weights ??= weights(t); // those that came with the tokens are of the very same tokens
    }
    const shift = begin - this.before.length;
    if (this.selected !== null) this.selected += shift;
    this.before = tokens.slice(0, begin).map((text, i) => ({text, name: text, logprob: null, top: [], weights: weights(i)}));
    this.recolour();
  }

  recolour() {
    this.version++;
  }

  /** A token's weights at the chosen stitch, by model; null where they are not known. */
  weights(token) {
    return token?.weights ? token.weights[this.layers.indexOf(this.layer)] : null;
  }

  /** Tokens a second, after the first one. */
  get speed() {
    return this.tokens.length > 1 && this.ended > this.first ? (this.tokens.length - 1) * 1000 / (this.ended - this.first) : null;
  }

  /** The set of experts in words. */
  get title() {
    return title(this.off);
  }
}

export function title(off) {
  const on = experts().filter(name => !off.includes(name));
  if (experts().length === 0) return 'Answer';
  if (on.length === 0) return 'The ' + models()[0] + ' alone';
  return off.length === 0 ? 'All experts' : off.length <= on.length ? 'Without ' + off.join(', ') : 'Only ' + on.join(', ');
}

/** A token's span for a part of its text. */
function span(run, token, index, text) {
  const made = element('span', text, 'token');
  made.dataset.token = index;
  const weights = run.weights(token);
  if (weights) {
    const best = largest(weights);
    made.classList.add(colour(run.names[best]));
    made.style.setProperty('--s', strength(weights[best], weights.length).toFixed(3));
  }
  mark(run, made, index);
  return made;
}

function mark(run, made, index) {
  if (index === run.selected) made.setAttribute('aria-current', 'true'); else made.removeAttribute('aria-current');
  made.classList.toggle('hovered', index === run.hovered);
}

/** Marks the hovered and the selected token in the text. */
export function remark(run, target) {
  for (const made of target.querySelectorAll('.hovered, [aria-current]')) mark(run, made, Number(made.dataset.token));
  for (const index of [run.hovered, run.selected]) {
    if (index !== null) target.querySelectorAll(`[data-token="${index}"]`).forEach(made => mark(run, made, index));
  }
}

/** Spans of the answer's text from one place to another. */
function spans(run, from, to) {
  const made = [];
  let low = 0, high = run.tokens.length; // the first token that ends behind from
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.tokens[middle].start + run.tokens[middle].text.length > from) high = middle; else low = middle + 1;
  }
  for (let t = low; t < run.tokens.length && run.tokens[t].start < to; t++) {
    const {start, text} = run.tokens[t];
    const piece = text.slice(Math.max(0, from - start), to - start);
    if (piece) made.push(span(run, run.tokens[t], run.before.length + t, piece));
  }
  return made;
}

/** The parts that are drawn: blocks of Markdown, or some tokens of plain text each. */
function parts(run) {
  if (run.lead === null && !run.plain) {
    return markdown.blocks(run.text).map(block => ({...block, draw: () => markdown.node(block, (from, to) => spans(run, from, to), code)}));
  }
  const all = [];
  if (run.lead) {
    const given = () => run.before.map((token, i) => span(run, token, i, token.text)).filter(one => one.textContent);
    all.push({start: -1, end: run.before.length ? 1 : 0, draw: () => {
      const made = element('span', '', 'given');
      for (const child of run.before.length ? given() : [run.lead]) made.append(child);
      return made;
    }});
  }
  for (let t = 0; t < run.tokens.length; t += CHUNK) {
    const start = run.tokens[t].start, end = run.tokens[t + CHUNK]?.start ?? run.text.length;
    all.push({start, end, draw: () => { const made = element('span'); made.append(...spans(run, start, end)); return made; }});
  }
  return all;
}

/** A block of code with its language and a button that copies it. */
function code(pre, {language}) {
  const box = element('div', '', 'code');
  const head = element('div', '', 'code-head');
  head.append(element('span', language || 'code'), button('Copy', event => copy(pre.textContent, event.currentTarget), 'quiet', 'Copy this code'));
  pre.tabIndex = 0; // it may scroll sideways
  box.append(head, pre);
  return box;
}

export async function copy(text, control) {
  const before = control.textContent;
  try {
    await navigator.clipboard.writeText(text);
    control.textContent = 'Copied';
  } catch {
    control.textContent = 'Not allowed here';
  }
  setTimeout(() => { control.textContent = before; }, 1500);
}

/** Draws an answer; parts that are as they were stay. */
export function draw(run, target) {
  const wanted = parts(run);
  const same = (old, part) => old && old.start === part.start && old.end === part.end && old.version === run.version && old.type === part.type;
  let i = 0;
  while (i < wanted.length - 1 && i < run.drawn.length - 1 && same(run.drawn[i], wanted[i]) && run.drawn[i].node.parentNode === target) i++;
  run.drawn.slice(i).forEach(({node}) => node.remove());
  if (i === 0) target.replaceChildren();
  run.drawn.length = i;
  for (const part of wanted.slice(i)) {
    const node = part.draw();
    target.append(node);
    run.drawn.push({start: part.start, end: part.end, type: part.type, version: run.version, node});
  }
}
