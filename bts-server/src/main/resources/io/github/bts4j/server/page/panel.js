// The panel with everything that shapes the next answer: sets of experts, system prompt, sampling.

import {button, colour, element, experts, models} from './palette.js';
import {title} from './run.js';

const $ = id => document.getElementById(id);
const MOST_SETS = 4;
const LETTERS = 'ABCD';
const NEUTRAL = {top_p: 1, top_k: 0, min_p: 0, repetition_penalty: 1}; // not sent, so that other servers' defaults stay theirs

let sets = [[]]; // the experts that are switched off, by set
let changed = () => {};

/** Fits the panel to the model; onChange is called when the number of sets has changed. */
export function prepare(model, onChange) {
  changed = onChange;
  const most = Math.max(1, model.context_length - 1);
  $('max_tokens').max = most;
  $('max_tokens').value = Math.min(Number($('max_tokens').value), Math.max(1, Math.floor(most / 2)));
  sets = [[]];
  drawSets();
  summarise();
}

/** The sets of experts that answer, as lists of the experts that are switched off. */
export const setsOff = () => experts().length ? sets.map(off => [...off]) : [[]];

export const system = () => $('system').value.trim();

/** The options of sampling, as the server takes them. */
export function sampling() {
  const options = {temperature: Number($('temperature').value), max_tokens: Number($('max_tokens').value)};
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    if (Number($(name).value) !== neutral) options[name] = Number($(name).value);
  }
  const given = $('seed').value;
  if (given !== '' || sets.length > 1) options.seed = given !== '' ? Number(given) : Math.floor(Math.random() * 2 ** 31);
  return options;
}

export function summarise() {
  const parts = [...(experts().length ? [sets.map(off => title(off).replace(/^[AOTW]/, first => first.toLowerCase())).join(' | ')] : []), 'temperature ' + $('temperature').value, $('max_tokens').value + ' tokens'];
  for (const [name, neutral] of Object.entries(NEUTRAL)) {
    if (Number($(name).value) !== neutral) parts.push(name.replaceAll('_', ' ') + ' ' + $(name).value);
  }
  if ($('seed').value) parts.push('seed ' + $('seed').value);
  if (system() && !$('system-row').hidden) parts.push('system prompt');
  $('summary').textContent = parts.join(' · ');
}

function chip(name, off) {
  const label = element('label', '', 'chip ' + colour(name));
  const box = Object.assign(document.createElement('input'), {type: 'checkbox', checked: !off.includes(name), value: name});
  box.addEventListener('change', () => {
    const at = off.indexOf(name);
    if (at < 0) off.push(name); else off.splice(at, 1);
    off.sort((a, b) => experts().indexOf(a) - experts().indexOf(b));
    box.closest('fieldset').querySelector('.as-words').textContent = title(off);
    summarise();
  });
  label.append(box, element('i', '', 'swatch'), name);
  return label;
}

function drawSets() {
  $('sets').hidden = experts().length === 0;
  if (experts().length === 0) return;
  const several = sets.length > 1;
  $('sets').replaceChildren(...sets.map((off, i) => {
    const set = element('fieldset', '', 'set');
    const legend = element('legend', several ? 'Set ' + LETTERS[i] : 'Experts');
    const seed = element('span', '', 'chip always ' + colour(models()[0]));
    seed.append(element('i', '', 'swatch'), models()[0]);
    seed.title = 'The ' + models()[0] + ' always answers';
    set.append(legend, seed, ...experts().map(name => chip(name, off)), element('span', title(off), 'as-words'));
    if (several) set.append(button('×', () => remove(i), 'quiet', 'Remove set ' + LETTERS[i]));
    return set;
  }));
  const add = button(several ? 'Add a set' : 'Compare with another set', () => {
    const alone = experts().slice();
    const there = sets.some(off => off.length === alone.length);
    sets.push(there ? [] : alone);
    setsChanged();
    $('sets').querySelector('fieldset:last-of-type input')?.focus();
  }, 'quiet add');
  add.disabled = sets.length >= MOST_SETS;
  $('sets').append(add);
}

function setsChanged() {
  drawSets();
  summarise();
  changed();
}

function remove(i) {
  sets.splice(i, 1);
  setsChanged();
  $('sets').querySelector('.add').focus();
}

$('settings').addEventListener('input', summarise);
$('settings').addEventListener('invalid', () => { $('settings').open = true; }, true); // what is closed cannot be pointed at
