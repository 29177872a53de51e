// Markdown as DOM nodes: never as HTML, so that nothing a model writes becomes markup. Every piece of text knows its place in the source, so that tokens can be coloured.
// Links lead to http, https and mailto only; images are not loaded. Time and depth are bounded for every input.

const DEPTH = 8;
const OPEN = 20; // marks of emphasis that may be open at once
const URL_LENGTH = 2000;
const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?=\S)|\s*$)/;
const LATER = /^ {0,3}(?!1[.)])\d/; // a number that begins no list within a paragraph
const DELIMITERS = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Blocks of a text: {type, start, end, ..}, in their order; start and end are places in the source. */
export function blocks(source) {
  const lines = [];
  for (let start = 0; start <= source.length; ) {
    const end = source.indexOf('\n', start);
    const stop = end < 0 ? source.length : end;
    lines.push({text: source.slice(start, stop), start});
    start = stop + 1;
  }
  return parse(lines, 0);
}

const blank = line => !/\S/.test(line.text);
const cut = (line, length) => ({text: line.text.slice(length), start: line.start + length});
const stop = line => line.start + line.text.length;

function parse(lines, depth) {
  const all = [];
  for (let i = 0; i < lines.length; ) {
    if (blank(lines[i])) { i++; continue; }
    const [block, next] = fence(lines, i) ?? heading(lines, i) ?? rule(lines, i) ?? (depth < DEPTH ? quote(lines, i, depth) ?? list(lines, i, depth) : null)
      ?? table(lines, i) ?? paragraph(lines, i);
    all.push({...block, start: lines[i].start, end: stop(lines[next - 1])});
    i = next;
  }
  return all;
}

function fence(lines, i) {
  const open = FENCE.exec(lines[i].text);
  if (!open) return null;
  const close = new RegExp('^ {0,3}' + (open[1][0] === '~' ? '~' : '`') + '{' + open[1].length + ',}[ \\t]*$');
  let end = i + 1;
  while (end < lines.length && !close.test(lines[end].text)) end++;
  return [{type: 'code', language: open[2].trim().split(/\s/)[0].slice(0, 30), lines: lines.slice(i + 1, end)}, Math.min(end + 1, lines.length)];
}

function heading(lines, i) {
  const found = HEADING.exec(lines[i].text);
  if (!found) return null;
  const from = lines[i].text.indexOf(found[2], found[0].indexOf('#') + found[1].length);
  return [{type: 'heading', level: found[1].length, lines: [{text: found[2], start: lines[i].start + Math.max(from, 0)}]}, i + 1];
}

const rule = (lines, i) => RULE.test(lines[i].text) ? [{type: 'rule'}, i + 1] : null;

function quote(lines, i, depth) {
  const inner = [];
  let next = i;
  for (let mark; next < lines.length && (mark = QUOTE.exec(lines[next].text)); next++) inner.push(cut(lines[next], mark[0].length));
  return inner.length ? [{type: 'quote', blocks: parse(inner, depth + 1)}, next] : null;
}

function list(lines, i, depth) {
  const first = ITEM.exec(lines[i].text);
  if (!first || RULE.test(lines[i].text)) return null;
  const ordered = /\d/.test(first[2]);
  const kind = mark => mark && (/\d/.test(mark[2]) ? mark[2].at(-1) === first[2].at(-1) : mark[2] === first[2]);
  const items = [];
  let next = i;
  while (next < lines.length) {
    const mark = ITEM.exec(lines[next].text);
    if (!kind(mark) || RULE.test(lines[next].text)) break;
    const width = mark[0].length;
    const inner = [cut(lines[next++], width)];
    while (next < lines.length) {
      const line = lines[next];
      const indent = /^ */.exec(line.text)[0].length;
      if (blank(line)) {
        const after = lines.slice(next, next + 3).findIndex(one => !blank(one));
        if (after < 0 || /^ */.exec(lines[next + after].text)[0].length < Math.min(width, 2)) break;
        inner.push(cut(line, line.text.length));
      } else if (indent >= Math.min(width, 2)) inner.push(cut(line, Math.min(indent, width)));
      else if (!begins(line.text) && !blank(lines[next - 1])) inner.push(line); // goes on with the paragraph
      else break;
      next++;
    }
    items.push(parse(inner, depth + 1));
    if (next < lines.length && blank(lines[next]) && next + 1 < lines.length && kind(ITEM.exec(lines[next + 1].text))) next++;
  }
  return [{type: 'list', ordered, first: ordered ? parseInt(first[2], 10) : 1, items}, next];
}

const begins = text => FENCE.test(text) || HEADING.test(text) || RULE.test(text) || QUOTE.test(text) || ITEM.test(text);

function table(lines, i) {
  if (i + 1 >= lines.length || !lines[i].text.includes('|') || !lines[i + 1].text.includes('|') || !DELIMITERS.test(lines[i + 1].text)) return null;
  const head = cells(lines[i]);
  const align = cells(lines[i + 1]).map(({text}) => /^:-*:$/.test(text) ? 'center' : text.endsWith(':') ? 'right' : '');
  if (head.length !== align.length) return null;
  let next = i + 2;
  while (next < lines.length && !blank(lines[next]) && lines[next].text.includes('|')) next++;
  return [{type: 'table', align, head, rows: lines.slice(i + 2, next).map(cells)}, next];
}

function cells(line) {
  const all = [];
  let from = /^\s*\|?/.exec(line.text)[0].length;
  const end = /\|\s*$/.test(line.text) ? line.text.lastIndexOf('|') : line.text.length;
  while (from <= end) {
    let to = from;
    while (to < end && (line.text[to] !== '|' || line.text[to - 1] === '\\')) to++;
    const text = line.text.slice(from, to);
    all.push({text: text.trim(), start: line.start + from + text.length - text.trimStart().length});
    from = to + 1;
  }
  return all;
}

function paragraph(lines, i) {
  let next = i + 1;
  while (next < lines.length && !blank(lines[next]) && !(begins(lines[next].text) && !LATER.test(lines[next].text)) && !table(lines, next)) next++;
  return [{type: 'paragraph', lines: lines.slice(i, next)}, next];
}

// Inline text

/** The text of lines that follow each other, and where each of its characters stands in the source. */
class Joined {
  constructor(lines) {
    this.text = lines.map(line => line.text).join('\n');
    this.lines = lines;
    this.ends = [];
    lines.reduce((at, line) => { this.ends.push(at + line.text.length); return at + line.text.length + 1; }, 0);
  }

  /** Ranges of the source for characters from i to j, without the line ends between parts that do not touch each other. */
  ranges(i, j) {
    const all = [];
    let begin = 0;
    for (let k = 0; k < this.lines.length && begin <= j; k++) {
      const from = Math.max(i, begin), to = Math.min(j, this.ends[k] + 1);
      if (from < to) all.push([this.lines[k].start + from - begin, this.lines[k].start + to - begin]);
      begin = this.ends[k] + 1;
    }
    return all;
  }
}

const MARKS = /\\[\\`*_{}[\]()#+\-.!|~<>]|`+|\*{1,3}|_{1,3}|~~|!?\[|\]|https?:\/\/[^\s<>"'`*]{3,}/g;
const TAGS = {1: ['em'], 2: ['strong'], 3: ['strong', 'em']};

/** Nodes of a line of text: [i, j] for text, {tag, nodes, href} for what is marked. */
function inline(text) {
  const out = [], open = [];
  const ticks = new Map(); // places of backticks by their number
  for (const run of text.matchAll(/`+/g)) {
    if (!ticks.has(run[0].length)) ticks.set(run[0].length, []);
    ticks.get(run[0].length).push(run.index);
  }
  ticks.forEach(places => places.reverse()); // the next one is the last
  let at = 0;
  const plain = to => { if (to > at) out.push([at, to]); at = to; };
  const wrap = (opener, made) => {
    open.length = open.indexOf(opener);
    made.nodes = out.splice(opener.out + 1);
    out[opener.out] = made;
  };
  MARKS.lastIndex = 0;
  for (let mark; (mark = MARKS.exec(text)); ) {
    const [found] = mark, i = mark.index, end = i + found.length;
    if (i < at) continue;
    plain(i);
    if (found[0] === '\\') { at = i + 1; plain(end); }
    else if (found[0] === '`') {
      const places = ticks.get(found.length);
      while (places.length && places.at(-1) <= i) places.pop();
      if (places.length) { out.push({tag: 'code', nodes: [[end, places.at(-1)]]}); at = MARKS.lastIndex = places.at(-1) + found.length; } else plain(end);
    } else if (found.endsWith('[')) { if (open.length < OPEN) open.push({mark: '[', out: out.length, start: i}); plain(end); }
    else if (found === ']') link(text, i, open, out, wrap, to => { at = MARKS.lastIndex = to; }, () => plain(end));
    else if (found[0] === 'h') {
      const url = found.replace(/[.,;:!?)\]]+$/, '');
      out.push({tag: 'a', href: url, nodes: [[i, i + url.length]]});
      at = MARKS.lastIndex = i + url.length;
    } else emphasis(text, found, i, open, out, wrap, plain, () => { at = end; });
  }
  plain(text.length);
  return out;
}

function link(text, i, open, out, wrap, goOn, plain) {
  const opener = open.findLast(one => one.mark === '[');
  const end = text[i + 1] === '(' ? text.slice(i + 2, i + 2 + URL_LENGTH).search(/[)\s]/) : -1;
  if (opener) open.splice(open.indexOf(opener), 1);
  if (!opener || end < 0 || text[i + 2 + end] !== ')') return plain();
  open.splice(0, open.length, ...open.filter(one => one.out < opener.out));
  open.push(opener);
  wrap(opener, {tag: 'a', href: text.slice(i + 2, i + 2 + end)});
  goOn(i + 3 + end);
}

function emphasis(text, mark, i, open, out, wrap, plain, skip) {
  const before = text[i - 1] ?? ' ', after = text[i + mark.length] ?? ' ';
  const word = mark[0] === '_' && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
  const opener = !word && /\S/.test(before) ? open.findLast(one => one.mark === mark) : null;
  if (opener && opener.start + mark.length < i) {
    const tags = mark === '~~' ? ['del'] : TAGS[mark.length];
    wrap(opener, {tag: tags[0]});
    if (tags[1]) out.push({tag: tags[0], nodes: [{tag: tags[1], nodes: out.pop().nodes}]});
    return skip();
  }
  if (!word && /\S/.test(after) && open.length < OPEN) open.push({mark, out: out.length, start: i});
  plain(i + mark.length);
}

// Nodes of the document

/** {@return a link's address, or null if it may not be followed} */
function address(href) {
  try {
    const url = new URL(href);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch { return null; }
}

function inlineNodes(lines, leaf) {
  const joined = new Joined(lines);
  const make = (node, linked) => {
    if (Array.isArray(node)) return joined.ranges(...node).flatMap(([from, to]) => leaf(from, to));
    const href = node.tag === 'a' && !linked ? address(node.href) : null;
    const made = document.createElement(node.tag === 'a' && !href ? 'span' : node.tag);
    if (href) Object.assign(made, {href, title: href, target: '_blank', rel: 'noopener noreferrer nofollow'});
    for (const child of node.nodes.flatMap(inner => make(inner, linked || Boolean(href)))) made.append(child);
    return [made];
  };
  return inline(joined.text).flatMap(one => make(one, false));
}

function element(tag, children = []) {
  const made = document.createElement(tag);
  for (const child of children) made.append(child); // there may be more of them than a call takes arguments
  return made;
}

/** The node of a block; leaf makes the nodes of the source from one place to another, and decorate adds to a block of code. */
export function node(block, leaf, decorate) {
  const inner = lines => inlineNodes(lines, leaf);
  switch (block.type) {
    case 'code': return decorate(element('pre', [element('code', block.lines.flatMap(line => leaf(line.start, stop(line) + 1)))]), block);
    case 'heading': return Object.assign(element('h4', inner(block.lines)), {className: 'level' + block.level}); // of an answer, whatever the model counts from
    case 'rule': return element('hr');
    case 'quote': return element('blockquote', block.blocks.map(one => node(one, leaf, decorate)));
    case 'list': {
      const made = element(block.ordered ? 'ol' : 'ul', block.items.map(item => element('li', item.map(one => node(one, leaf, decorate)))));
      if (block.ordered && block.first !== 1) made.start = block.first;
      return made;
    }
    case 'table': {
      const row = (all, tag) => element('tr', all.slice(0, block.align.length).map((cell, k) => {
        const made = element(tag, inner([cell]));
        if (block.align[k]) made.className = block.align[k];
        return made;
      }));
      const made = element('div', [element('table', [element('thead', [row(block.head, 'th')]), element('tbody', block.rows.map(cells => row(cells, 'td')))])]);
      made.className = 'sideways';
      return made;
    }
    default: return element('p', inner(block.lines));
  }
}
