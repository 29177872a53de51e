// Turns of a conversation, each with the answers of one or more sets of experts, and their versions.

import {answer, trace} from './api.js';
import {button, element, experts, models, named} from './palette.js';
import {copy, draw, Run} from './run.js';

const log = document.getElementById('conversation');
const turnsAt = document.getElementById('turns');

export class Conversation {
  /** What the page does on events: show(run, target, token), grown(run), busy(on), refused(error), edit(turn), changed(). */
  constructor(page) {
    this.page = page;
    this.turns = [];
    this.running = new Map(); // a controller for every answer that comes
    this.background = new AbortController(); // of gates that are asked for afterwards
  }

  get busy() { return this.running.size > 0; }

  clear() {
    this.stop();
    this.background.abort();
    this.background = new AbortController();
    this.turns = [];
    turnsAt.replaceChildren();
    this.page.changed();
  }

  stop() {
    this.running.forEach(controller => controller.abort());
  }

  /** Removes a turn and all that follow. */
  cut(turn) {
    const at = this.turns.indexOf(turn);
    if (at < 0) return;
    this.turns.splice(at).forEach(one => one.article.remove());
    this.refreshActions();
    this.page.changed();
  }

  /** Adds a message, which every set of experts answers. */
  async say({prompt, chat, system, sets, options}) {
    const turn = {prompt, chat, system, article: element('article', '', 'turn')};
    turn.answers = sets.map(off => ({off, runs: [], at: 0}));
    if (chat) turn.article.append(this.said(turn));
    if (!chat) turn.article.append(element('h2', 'A continued text', 'who unseen'));
    const row = element('div', '', 'answers');
    row.append(...turn.answers.map(one => this.card(turn, one)));
    turn.article.append(row);
    this.turns.push(turn);
    turnsAt.append(turn.article);
    this.refreshActions();
    this.page.changed();
    toEnd();
    await Promise.all(turn.answers.map((one, i) => this.run(turn, one, options, i === 0)));
  }

  said(turn) {
    const box = element('div', '', 'said');
    const actions = element('div', '', 'actions');
    actions.append(button('Edit', () => this.page.edit(turn), 'quiet', 'Edit this message'), button('Copy', event => copy(turn.prompt, event.currentTarget), 'quiet', 'Copy this message'));
    box.append(element('h2', 'You', 'who'), element('p', turn.prompt, 'given'), actions);
    return box;
  }

  card(turn, one) {
    const card = element('section', '', 'card');
    one.head = element('h3');
    one.target = element('div', '', turn.chat ? 'answer' : 'answer raw');
    one.note = element('div', '', 'note');
    one.foot = element('div', '', 'foot');
    one.target.addEventListener('click', event => {
      const token = event.target.closest('.token');
      if (token && getSelection().isCollapsed && !event.target.closest('a')) this.page.show(current(one), one.target, Number(token.dataset.token));
    });
    one.target.addEventListener('pointerover', event => {
      const token = event.target.closest('.token');
      if (token && event.pointerType !== 'touch') this.page.hover(current(one), Number(token.dataset.token));
    });
    one.target.addEventListener('pointerleave', () => this.page.hover(current(one), null));
    card.append(one.head, one.target, one.note, one.foot);
    return card;
  }

  /** What the model is told: of a chat, the earlier turns as well, with the answers of the same set of experts where there are some. */
  body(turn, one, text = null) {
    const off = one.off.length ? {experts_off: one.off} : {};
    if (!turn.chat) return {...off, prompt: turn.prompt + (text ?? '')};
    const key = one.off.join();
    const before = this.turns.slice(0, this.turns.indexOf(turn)).filter(earlier => earlier.chat).flatMap(earlier => {
      const same = earlier.answers.find(other => other.off.join() === key && current(other).text) ?? earlier.answers.find(other => current(other).text);
      return same ? [{role: 'user', content: earlier.prompt}, {role: 'assistant', content: current(same).text}] : [];
    });
    const messages = [...(turn.system ? [{role: 'system', content: turn.system}] : []), ...before, {role: 'user', content: turn.prompt}];
    return {...off, messages: text === null ? messages : [...messages, {role: 'assistant', content: text}]};
  }

  async run(turn, one, options, first) {
    const run = new Run(one.off, turn.chat ? null : turn.prompt);
    const controller = new AbortController();
    one.runs.push(run);
    one.at = one.runs.length - 1;
    one.options = options;
    this.running.set(run, controller);
    this.busyChanged();
    this.draw(turn, one);
    if (first) this.page.show(run, one.target);
    try {
      for await (const part of answer({...this.body(turn, one), ...options, model: this.page.model()}, experts().length > 0, controller.signal)) {
        run.take(part);
        this.later(turn, one, run);
      }
      run.state = 'done';
    } catch (error) {
      run.state = error.name === 'AbortError' ? 'stopped' : 'error';
      run.error = error.name === 'AbortError' ? null : error;
    }
    this.running.delete(run);
    const there = this.turns.includes(turn);
    if (there) this.ended(turn, one, run);
    this.busyChanged();
  }

  ended(turn, one, run) {
    if (experts().length && run.tokens.length) run.whole = () => this.traced(turn, one, run);
    this.draw(turn, one);
    if (run.error) this.page.refused(run.error);
    this.page.grown(run);
  }

  /** Asks for the gates of all that was before the answer, too. */
  async traced(turn, one, run) {
    run.whole = null; // asked for once
    try {
      run.adopt(await trace({...this.body(turn, one, run.text), model: this.page.model()}, this.background.signal));
      run.gatesMissing = null;
    } catch (error) {
      if (error.name === 'AbortError') return;
      run.gatesMissing = error.message;
      run.whole = () => this.traced(turn, one, run);
    }
    if (!this.turns.includes(turn)) return;
    this.draw(turn, one);
    this.page.grown(run);
  }

  busyChanged() {
    log.setAttribute('aria-busy', this.busy); // it is read out when it is complete
    this.page.busy(this.busy);
    this.refreshActions();
  }

  /** Draws an answer with the next frame. */
  later(turn, one, run) {
    if (one.pending) return;
    one.pending = requestAnimationFrame(() => {
      one.pending = null;
      if (current(one) !== run) return;
      this.draw(turn, one);
      this.page.grown(run);
    });
  }

  draw(turn, one) {
    const following = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    const run = current(one);
    head(one, run, turn.answers.length > 1 ? 'ABCD'[turn.answers.indexOf(one)] + ': ' : '');
    draw(run, one.target);
    one.target.classList.toggle('waiting', run.state === 'waiting');
    one.note.replaceChildren(...this.notes(turn, one, run));
    if (run.going) one.foot.querySelector('.facts')?.replaceChildren(facts(run)); else this.foot(turn, one, run);
    if (run.going && !one.foot.querySelector('.facts')) one.foot.replaceChildren(element('p', facts(run), 'facts'));
    if (following) toEnd();
  }

  notes(turn, one, run) {
    if (run.error) {
      const box = element('div', '', 'problem');
      box.setAttribute('role', 'alert');
      const text = element('p');
      text.append(element('b', run.error.message), ' ', run.error.advice ?? '');
      box.append(text);
      if (run.error.again !== false || run.error.status === 401) box.append(button('Try again', () => this.again(turn, one, true)));
      return [box];
    }
    const all = [];
    if (run.state === 'stopped') all.push(element('p', run.text ? 'You stopped this answer.' : 'You stopped before the first token.', 'soft'));
    if (run.state === 'done' && run.finish === 'length') all.push(element('p', 'The answer ended at the limit of tokens in the settings.', 'soft'));
    if (run.state === 'done' && !run.text) all.push(element('p', 'The model ended at once, without a token.', 'soft'));
    if (run.gatesMissing) all.push(element('p', 'No gates of the prompt: ' + run.gatesMissing, 'soft'));
    return all;
  }

  foot(turn, one, run) {
    const focused = one.foot.contains(document.activeElement) ? document.activeElement.textContent : null;
    const actions = element('div', '', 'actions');
    const name = experts().length && turn.answers.length > 1 ? ' of ' + run.title : '';
    if (one.runs.length > 1) {
      actions.append(this.turnTo(turn, one, -1, '‹', 'The version before' + name), element('span', (one.at + 1) + ' of ' + one.runs.length, 'versions'), this.turnTo(turn, one, 1, '›', 'The next version' + name));
    }
    if (run.text) actions.append(button('Copy', event => copy((turn.chat ? '' : turn.prompt) + run.text, event.currentTarget), 'quiet', 'Copy this answer' + name));
    if (!this.busy && turn === this.turns.at(-1) && !run.error) actions.append(button('Regenerate', () => this.again(turn, one, false), 'quiet', 'Regenerate this answer' + name));
    if (turn.chat && run.text) {
      const plain = button('Plain text', () => { run.plain = !run.plain; run.recolour(); this.draw(turn, one); }, 'quiet', 'Plain text' + name);
      plain.setAttribute('aria-pressed', run.plain);
      actions.append(plain);
    }
    if (run.tokens.length) actions.append(button('Gates', () => { this.page.show(run, one.target, run.selected ?? run.before.length); }, 'quiet', 'Show the gates and tokens of this answer' + name));
    one.foot.replaceChildren(element('p', run.tokens.length ? facts(run) : '', 'facts'), actions);
    if (focused) [...actions.children].find(control => control.textContent === focused && !control.disabled)?.focus();
  }

  turnTo(turn, one, step, text, label) {
    const made = button(text, () => {
      one.at += step;
      this.draw(turn, one);
      this.page.show(current(one), one.target);
    }, 'quiet', label);
    made.disabled = !one.runs[one.at + step];
    return made;
  }

  /** Answers once more: anew beside the versions that are there, or instead of one that failed. */
  async again(turn, one, failed) {
    if (this.busy) return;
    if (failed) one.runs.splice(one.at, 1);
    const options = this.page.options();
    await this.run(turn, one, options, true);
  }

  refreshActions() {
    this.turns.forEach(turn => turn.answers.forEach(one => { if (one.runs.length && !current(one).going) this.foot(turn, one, current(one)); }));
    turnsAt.querySelectorAll('.said button').forEach(control => { if (control.textContent === 'Edit') control.disabled = this.busy; });
  }

  /** Draws all answers anew, as with another stitch. */
  recolour() {
    this.turns.forEach(turn => turn.answers.forEach(one => { one.runs.forEach(run => run.recolour()); this.draw(turn, one); }));
  }
}

export const current = one => one.runs[one.at] ?? new Run(one.off, null);

const toEnd = () => { log.scrollTop = log.scrollHeight; };

function head(one, run, letter) {
  const swatches = element('span', '', 'swatches');
  if (experts().length) swatches.append(...models().filter(name => !run.off.includes(name)).map(name => { const made = named(name, ''); made.title = name; return made; }));
  one.head.replaceChildren(letter + run.title, swatches);
}

function facts(run) {
  if (run.state === 'waiting') return 'Waiting for the first token ..';
  const parts = [run.tokens.length + (run.tokens.length === 1 ? ' token' : ' tokens')];
  if (run.speed) parts.push(run.speed.toFixed(1) + ' tokens/s');
  if (run.first !== null) parts.push('first after ' + ((run.first - run.begun) / 1000).toFixed(2) + ' s');
  return parts.join(' · ');
}
