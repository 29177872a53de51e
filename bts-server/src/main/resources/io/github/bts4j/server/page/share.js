// A conversation as a file: a page that needs nothing else, or data. What models and people wrote is escaped.

import {colour, largest, meaning, models, strength} from './palette.js';
import {current} from './conversation.js';
import {title} from './run.js';

const escape = text => String(text).replace(/[&<>"']/g, c => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'})[c]);
const share = value => Math.round(value * 1e4) / 1e4;

const STYLE = `:root{color-scheme:light dark}body{margin:0 auto;max-width:70rem;padding:1.5rem 1rem 4rem;background:light-dark(#fff,#14171c);color:light-dark(#1b1f24,#e8ebf0);font:16px/1.6 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0}h2{font-size:1rem;margin:1.6rem 0 .3rem}h3{font-size:.9rem;margin:.8rem 0 .3rem;color:light-dark(#57606c,#a3adba)}
p,pre{margin:.3rem 0}.soft{color:light-dark(#57606c,#a3adba);font-size:.9rem}pre,.said{white-space:pre-wrap;overflow-wrap:anywhere}
.said,pre{background:light-dark(#f4f6f8,#1c2128);border-radius:8px;padding:.7rem .9rem}pre{font:.92rem/1.7 ui-monospace,Menlo,Consolas,monospace}
.answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:0 1.2rem}
pre span{border-radius:3px;background:color-mix(in srgb,var(--c,transparent) calc(8% + var(--s,0)*32%),transparent)}i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;background:var(--c)}.legend span{margin-right:1rem;white-space:nowrap}`;

/** The conversation as data: messages and, for every answer, its set of experts, tokens, gates and log-probabilities. */
export function data(conversation, model) {
  return {
    format: 'bts4j-conversation', version: 1, model: model.id, models: models(), created: new Date().toISOString(),
    turns: conversation.turns.map(turn => ({
      mode: turn.chat ? 'chat' : 'continue', ...(turn.system ? {system: turn.system} : {}), prompt: turn.prompt,
      answers: turn.answers.map(one => {
        const run = current(one);
        return {
          experts_off: run.off, text: run.text, state: run.state, finish_reason: run.finish, options: one.options, models: run.names, stitches: run.layers,
          ...(run.error ? {error: run.error.message} : {}), ...(run.speed ? {tokens_per_second: share(run.speed)} : {}),
          tokens: run.tokens.map(token => ({text: token.text, token: token.name, logprob: token.logprob, top: token.top, gates: token.weights})),
        };
      }),
    })),
  };
}

function tokens(run) {
  return run.all.map((token, i) => {
    if (!token.text || run.lead === null && i < run.before.length) return '';
    const weights = run.weights(token);
    if (!weights) return escape(token.text);
    const best = largest(weights);
    const told = run.names.map((name, k) => name + ' ' + weights[k].toFixed(2)).join(', ') + (token.logprob === null ? '' : ' | log-probability ' + token.logprob.toFixed(3));
    return `<span class="${colour(run.names[best])}" style="--s:${strength(weights[best], weights.length).toFixed(3)}" title="${escape(told)}">${escape(token.text)}</span>`;
  }).join('');
}

/** The conversation as a page of its own, with the colours of its gates; it runs no scripts and loads nothing. */
export async function page(conversation, model) {
  const palette = await (await fetch('/models.css')).text();
  const layer = conversation.turns.flatMap(turn => turn.answers.map(one => current(one).layer)).find(Boolean);
  const answerOf = one => {
    const run = current(one);
    const text = (run.lead !== null && run.before.length === 0 ? escape(run.lead) : '') + tokens(run);
    const facts = [run.tokens.length + ' tokens', ...(run.speed ? [run.speed.toFixed(1) + ' tokens/s'] : []), ...(run.state === 'stopped' ? ['stopped'] : []), ...(run.error ? [run.error.message] : [])];
    return `<div><h3>${escape(title(run.off))}</h3><pre>${text}</pre><p class="soft">${escape(facts.join(' · '))}</p></div>`;
  };
  const turn = one => (one.system ? `<h2>System prompt</h2><p class="said">${escape(one.system)}</p>` : '') + (one.chat ? `<h2>You</h2><p class="said">${escape(one.prompt)}</p>` : '<h2>A continued text</h2>')
    + `<div class="answers">${one.answers.map(answerOf).join('')}</div>`;
  const legend = layer === undefined ? '' : `<p>${escape(meaning(layer))} Point at a token for its weights.</p><p class="legend">`
    + models().map(name => `<span class="${colour(name)}"><i></i>${escape(name)}</span>`).join('') + '</p>';
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escape(model.id)}: a conversation</title><style>${palette}${STYLE}</style></head>
<body><main><h1>${escape(model.id)}</h1><p class="soft">A conversation of ${escape(new Date().toLocaleString('en', {dateStyle: 'long', timeStyle: 'short'}))}, written by bts4j</p>${legend}${conversation.turns.map(turn).join('')}</main></body></html>
`;
}

export function save(name, type, text) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
