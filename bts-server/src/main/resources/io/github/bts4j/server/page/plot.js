// The weights of models along a text, between 0 and 1. Places are in units of the plot's view box.

import {colour, dash} from './palette.js';

const BOX = {left: -4, top: -4, width: 1008, height: 208};
const height = weight => 200 - 200 * weight;
const fromLeft = x => 100 * (x - BOX.left) / BOX.width + '%';
const fromTop = y => 100 * (y - BOX.top) / BOX.height + '%';
const across = (t, last) => 1000 * t / last;

function make(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

const upright = (name, x) => make('line', {class: name, x1: x, x2: x, y1: BOX.top, y2: BOX.top + BOX.height});

/** The plot of one answer's weights. */
export class Plot {
  constructor(svg, scale, begin) {
    Object.assign(this, {svg, scale, begin, last: 1});
    svg.setAttribute('viewBox', Object.values(BOX).join(' '));
    svg.setAttribute('preserveAspectRatio', 'none');
    scale.replaceChildren(...[0, 0.5, 1].map(weight => {
      const number = document.createElement('span');
      number.textContent = weight;
      number.style.top = fromTop(height(weight));
      return number;
    }));
  }

  /** Draws rows of weights, one number a model and null where they are not known; the answer begins at a row. */
  draw(names, rows, begin) {
    this.last = Math.max(1, rows.length - 1);
    const grid = [0, 0.25, 0.5, 0.75, 1].map(weight => make('line', {class: 'grid', x1: BOX.left, x2: BOX.left + BOX.width, y1: height(weight), y2: height(weight)}));
    const lines = names.map((name, i) => make('polyline', {class: colour(name), 'data-model': name, 'stroke-dasharray': dash(name),
      points: rows.flatMap((row, t) => row ? [across(t, this.last) + ',' + height(row[i])] : []).join(' ')}));
    const within = begin > 0 && begin < rows.length;
    const x = across(begin, this.last);
    this.pointer = upright('hovered', 0);
    this.cursor = upright('current', 0);
    this.svg.replaceChildren(...grid, ...(within ? [upright('begin', x)] : []), ...lines, this.pointer, this.cursor);
    this.begin.hidden = !within;
    this.begin.style.left = fromLeft(x);
    this.begin.className = begin > this.last / 2 ? 'left' : '';
  }

  /** Marks the selected token and the one that is pointed at; null for none. */
  mark(selected, hovered) {
    [[this.cursor, selected], [this.pointer, hovered]].forEach(([line, t]) => {
      line.style.display = t === null ? 'none' : '';
      if (t !== null) ['x1', 'x2'].forEach(end => line.setAttribute(end, across(t, this.last)));
    });
  }

  /** The row at a place of the screen. */
  at(clientX) {
    const box = this.svg.getBoundingClientRect();
    const x = BOX.left + BOX.width * (clientX - box.left) / box.width;
    return Math.min(this.last, Math.max(0, Math.round(x / 1000 * this.last)));
  }
}
