// The page: what its parts do together.

import * as api from './api.js';
import {Conversation, current} from './conversation.js';
import {favourite, Inspector} from './inspector.js';
import {button, experts, models, setModels} from './palette.js';
import * as panel from './panel.js';
import * as share from './share.js';

const $ = id => document.getElementById(id);
const touch = matchMedia('(hover: none), (pointer: coarse)').matches;
const command = /Mac|iP/.test(navigator.platform) ? '⌘' : 'Ctrl';
let model = null;
let editing = null;

const inspector = new Inspector(() => { conversation.recolour(); inspector.draw(); });
const conversation = new Conversation({
  model: () => model.id,
  options: () => panel.sampling(),
  show: (run, target, token = null) => {
    inspector.show(run, target, token);
    if (token !== null) inspector.open(true);
  },
  hover: (run, token) => { if (inspector.run === run) inspector.hover(token); },
  grown: run => { if (inspector.run === run) inspector.draw(); },
  busy: on => busy(on),
  refused: error => { if (error.status === 401) askForKey(); },
  edit: turn => edit(turn),
  changed: () => changed(),
});

const chat = () => document.querySelector('[name=mode]:checked').value === 'chat';

async function start() {
  problem(null);
  try {
    model = await api.model();
    setModels(['seed', ...model.experts]);
    if (model.experts.length) await learn();
  } catch (error) {
    model = null;
    if (error.status === 401) return askForKey();
    return problem(error, start);
  }
  $('key-row').hidden = true;
  document.title = model.id + ' · bts4j';
  $('model').textContent = model.id + ' · context ' + model.context_length.toLocaleString('en') + ' tokens';
  if (!model.chat) document.querySelector('[value=continue]').checked = true;
  $('modes').hidden = !model.chat;
  panel.prepare(model, changed);
  modeChanged();
  welcome();
  $('send').disabled = false;
  changed();
  if (!touch) $('prompt').focus();
}

/** The names of the models come with any gates. */
async function learn() {
  const trace = await api.trace({model: model.id, prompt: 'a'});
  setModels(trace.models);
}

function askForKey() {
  const hint = 'It is kept until you close the page.';
  $('key-hint').textContent = api.hasKey() ? 'This key is wrong. Ask whoever runs the server for it.' : 'This server asks for a key. ' + hint;
  $('key-row').hidden = false;
  $('key').focus();
}

function useKey() {
  api.useKey($('key').value);
  if (model) $('key-row').hidden = true; else start();
}

/** An error that is not one of an answer, with a button that tries again. */
function problem(error, retry) {
  $('alert').hidden = error === null;
  if (error === null) return;
  const text = document.createElement('p');
  const what = document.createElement('b');
  what.textContent = error.message;
  text.append(what, ' ', error.advice ?? 'Reload the page.');
  $('alert').replaceChildren(text, button('Try again', retry));
}

const IDEAS = {
  chat: ['Write a Java method that reverses a string', 'Prove that the square root of 2 is irrational', 'Tell me a story about a lighthouse'],
  continue: ['It is a truth universally acknowledged', 'public static boolean isEmpty(String text) {\n    return', 'Y dijo Dios'],
};

function welcome() {
  $('hello').textContent = chat() ? 'Talk to ' + model.id : 'Let ' + model.id + ' continue a text';
  $('about').textContent = experts().length
    ? model.id + ' is a ' + models()[0] + ' with ' + (experts().length === 1 ? 'one expert' : experts().length + ' experts') + ': ' + experts().join(', ')
      + '. Its answers come in colours that show which model each token listens to. Switch experts off below, or compare sets of them side by side.'
    : 'Select a token of an answer for its probability and what else the model might have written.';
  $('ideas').replaceChildren(...IDEAS[chat() ? 'chat' : 'continue'].map(text => {
    const item = document.createElement('li');
    item.append(button(text, () => { $('prompt').value = text; grow(); $('prompt').focus(); }, 'idea'));
    return item;
  }));
}

function modeChanged() {
  const on = chat();
  $('what').textContent = on ? 'Message' : 'Text';
  $('prompt').placeholder = on ? 'What do you want to say to the model?' : 'How does the text begin? The model continues from there.';
  $('prompt').classList.toggle('raw', !on); // blanks and line ends count
  $('keys').textContent = touch ? '' : on ? 'Enter sends, Shift+Enter begins a line' : command + '+Enter sends';
  $('system-row').hidden = !on;
  panel.summarise();
  if (model) welcome();
}

function changed() {
  const none = conversation.turns.length === 0;
  $('new').disabled = $('share').disabled = none;
  $('empty').hidden = !model || !none;
  if (none) inspector.hide();
}

function busy(on) {
  const focused = document.activeElement === $('stop');
  $('send').hidden = on;
  $('stop').hidden = !on;
  if (on && document.activeElement === document.body) $('stop').focus(); // in the place of the button that was pressed
  if (focused && !on && !touch) $('prompt').focus();
  if (on) { $('status').textContent = 'Answering'; return; }
  const runs = conversation.turns.at(-1)?.answers.map(current) ?? [];
  $('status').textContent = runs.map((run, i) => {
    const best = favourite(run);
    const end = (runs.length > 1 ? 'ABCD'[i] + ' ' : '') + {done: 'done', stopped: 'stopped', error: 'failed'}[run.state];
    return end + (run.tokens.length ? ', ' + run.tokens.length + ' tokens' : '') + (best ? ', ' + Math.round(100 * best.share) + ' % ' + best.name : '');
  }).join(' · ').replace(/^\w/, first => first.toUpperCase());
}

async function send(event) {
  event?.preventDefault();
  const prompt = $('prompt').value;
  if (!model || conversation.busy || !prompt.trim()) return;
  if (editing) conversation.cut(editing);
  const isChat = chat();
  const message = {prompt: isChat ? prompt.trim() : prompt, chat: isChat, system: isChat ? panel.system() : '', sets: panel.setsOff(), options: panel.sampling()};
  endEditing();
  if (isChat) $('prompt').value = '';
  grow();
  await conversation.say(message);
}

function edit(turn) {
  editing = turn;
  document.querySelector('[value=chat]').checked = true;
  modeChanged();
  $('editing').hidden = false;
  turn.article.classList.add('replaced');
  $('prompt').value = turn.prompt;
  grow();
  $('prompt').focus();
}

function endEditing() {
  editing?.article.classList.remove('replaced');
  editing = null;
  $('editing').hidden = true;
}

function newChat() {
  endEditing();
  conversation.clear();
  $('status').textContent = '';
  $('prompt').focus();
}

function grow() {
  $('prompt').style.height = '';
  if ($('prompt').scrollHeight > $('prompt').clientHeight) $('prompt').style.height = $('prompt').scrollHeight + 2 + 'px';
}

const name = () => model.id.replace(/[^\w.-]+/g, '-') + '-' + new Date().toISOString().slice(0, 16).replace(/[T:]/g, '-');

$('form').addEventListener('submit', send);
$('stop').addEventListener('click', () => conversation.stop());
$('new').addEventListener('click', newChat);
$('keep').addEventListener('click', () => { endEditing(); $('prompt').value = ''; grow(); $('prompt').focus(); });
$('use-key').addEventListener('click', useKey);
$('key').addEventListener('keydown', event => { if (event.key === 'Enter') { event.preventDefault(); useKey(); } });
document.querySelectorAll('[name=mode]').forEach(radio => radio.addEventListener('change', modeChanged));
$('prompt').addEventListener('input', grow);
$('prompt').addEventListener('keydown', event => {
  if (event.key !== 'Enter' || event.isComposing) return;
  if (event.ctrlKey || event.metaKey || chat() && !event.shiftKey && !touch) {
    event.preventDefault();
    $('form').requestSubmit();
  }
});
document.addEventListener('keydown', event => { if (event.key === 'Escape' && conversation.busy) conversation.stop(); });
$('theme').addEventListener('change', () => { document.documentElement.dataset.theme = $('theme').value; });
$('as-html').addEventListener('click', async () => { share.save(name() + '.html', 'text/html', await share.page(conversation, model)); $('formats').hidePopover(); });
$('as-json').addEventListener('click', () => { share.save(name() + '.json', 'application/json', JSON.stringify(share.data(conversation, model), null, 1)); $('formats').hidePopover(); });
$('send').disabled = true;
start();
