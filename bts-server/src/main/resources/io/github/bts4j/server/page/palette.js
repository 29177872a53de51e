// One colour language: a model keeps its name and its colour everywhere, and a shade is the stronger, the larger a weight.

let names = []; // the hub's first, then the experts' in their order
export const setModels = all => { names = all; };
export const models = () => names;
export const experts = () => names.slice(1);

/** The class that gives a model's colour; there are eight, and the lines of further models are dashed. */
export const colour = name => 'm' + Math.max(0, names.indexOf(name)) % 8;
export const dash = name => ['', '6 3', '2 3', '8 3 2 3'][Math.floor(names.indexOf(name) / 8) % 4];

/** How strong the shade of a weight is among so many models: from 0, where none is preferred, to 1. */
export const strength = (weight, count) => count < 2 ? 1 : Math.min(1, Math.max(0, (weight * count - 1) / (count - 1)));

/** What the colours mean, in one sentence. */
export const meaning = layer => 'A token has the colour of the model with the largest gate weight after layer ' + layer + '; the stronger the shade, the larger the weight.';

/** {@return the index of the largest weight} */
export const largest = weights => weights.indexOf(Math.max(...weights));

export function element(tag, text = '', name = '') {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

export function button(text, action, name = '', label = '') {
  const made = element('button', text, name);
  made.type = 'button';
  if (label) made.setAttribute('aria-label', label);
  made.addEventListener('click', action);
  return made;
}

/** A model's name with its colour. */
export function named(name, text = name) {
  const entry = element('span', '', 'named ' + colour(name));
  entry.append(element('i', '', 'swatch'), text);
  return entry;
}
