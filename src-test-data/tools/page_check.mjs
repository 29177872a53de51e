// Drives the server's page in a headless Chromium: npm install playwright-core, ./bts serve STITCHED --template llama2, then
// URL=http://127.0.0.1:8080/ CHROMIUM=/usr/bin/chromium node page_check.mjs [screenshot folder]
import { chromium } from 'playwright-core';
import assert from 'node:assert';
const shots = process.argv[2];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const errors = [], foreign = [], chats = [], traces = [], answered = [], failed = [];
let expected = 0; // answers of the server that are no success, which the browser reports as errors
async function open(options, prepare = () => {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', e => errors.push(e.message));
  page.on('console', m => { if (m.type() === 'error' && !(/429/.test(m.text()) && expected-- > 0)) errors.push(m.text()); });
  page.on('request', r => {
    if (!r.url().startsWith(process.env.URL)) foreign.push(r.url());
    if (r.url().endsWith('/v1/chat/completions')) chats.push(r.postDataJSON());
    if (r.url().endsWith('/bts/gates')) traces.push(r.postDataJSON());
  });
  page.on('requestfailed', r => failed.push(r.url() + ' ' + r.failure().errorText));
  await page.route('**/bts/gates', async route => {
    const response = await route.fetch();
    answered.push(await response.json());
    await route.fulfill({ response });
  });
  await prepare(page);
  await page.goto(process.env.URL);
  await page.waitForSelector('#switches input');
  return page;
}
const last = '.exchange:last-child .answer';
const colours = page => page.$$eval(last + ' .token', spans => spans.map(s => getComputedStyle(s).borderBottomColor + s.className));
const answer = page => page.textContent(last);
const count = page => page.$$eval('.exchange', all => all.length);
const done = page => page.waitForFunction(() => !document.getElementById('send').disabled && /s$/.test(document.getElementById('status').textContent), null, { timeout: 60000 });
const focused = page => page.evaluate(() => document.activeElement.id);
const fits = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const told = page => page.textContent('#weights');
const expectedWeights = t => { const { models, stitches } = answered.at(-1); return models.map((name, i) => name + ' ' + stitches.at(-1).weights[t][i].toFixed(2)).join(''); };
const marked = page => page.$eval('.token[aria-current]', span => Number(span.dataset.token));
async function say(page, text) {
  await page.fill('#prompt', text);
  await page.keyboard.press('Control+Enter');
  await done(page);
}

// a text is continued, the seed alone beside it
const page = await open({ viewport: { width: 1100, height: 1250 } });
assert.equal(await page.inputValue('#mode'), 'chat', 'what a model with a chat template is for');
assert.ok(await page.isDisabled('#new') && await page.isHidden('#conversation'), 'nothing to begin anew');
assert.match(await page.getAttribute('#prompt', 'placeholder'), /say/);
assert.ok(await page.inputValue('#prompt') === '' && await page.isVisible('text=Ctrl+Enter sends'));
await page.selectOption('#mode', 'continue');
assert.match(await page.getAttribute('#prompt', 'placeholder'), /begin/);
await page.fill('#prompt', 'public static boolean isEmpty(String text) {\n    return text');
await page.fill('#temperature', '0');
await page.fill('#tokens', '40');
await page.check('#compare');
await page.click('#send');
await done(page);
const all = await answer(page), before = await colours(page);
assert.ok(before.length > 30 && new Set(before).size > 1, 'tokens in several colours');
assert.equal((await page.$$('.exchange .answer')).length, 2);
assert.ok((await page.textContent('.exchange .answers > :last-child .answer')).length > 60);
assert.equal(await page.$$eval('#plot polyline', l => l.length), (await page.$$('#switches input')).length + 1);
const font = selector => page.$eval(selector, element => getComputedStyle(element).fontFamily);
assert.match(await font(last), /monospace/, 'columns of code stay columns');

// data, grid and numbers of the plot share a scale, and the answer begins where the prompt ends
const { tokens, stitches } = answered.at(-1);
const plot = await page.evaluate(() => {
  const y = line => Number(line.getAttribute('y1')), middle = element => { const box = element.getBoundingClientRect(); return (box.top + box.bottom) / 2; };
  const grid = [...document.querySelectorAll('#plot .grid')], numbers = [...document.querySelectorAll('#scale span')];
  return { grid: grid.map(y), places: grid.map(middle), numbers: numbers.map(number => [Number(number.textContent), middle(number)]),
    lines: [...document.querySelectorAll('#plot polyline')].map(line => line.getAttribute('points').split(' ').map(point => point.split(',').map(Number))),
    begin: Number(document.querySelector('#plot .begin').getAttribute('x1')) };
});
assert.deepEqual(plot.numbers.map(([number]) => number), [0, 0.5, 1]);
for (const [number, place] of plot.numbers) assert.ok(Math.abs(plot.places[4 * number] - place) < 1, 'the number ' + number + ' stands at its line');
plot.grid.forEach((y, i) => assert.ok(Math.abs(y - (plot.grid[0] + (plot.grid[4] - plot.grid[0]) * i / 4)) < 1e-9, 'five lines, a quarter apart'));
plot.lines.forEach((line, i) => line.forEach(([, y], t) => assert.ok(Math.abs((y - plot.grid[0]) / (plot.grid[4] - plot.grid[0]) - stitches.at(-1).weights[t][i]) < 1e-9)));
const begin = plot.lines[0].findIndex(([x]) => x === plot.begin), length = to => tokens.slice(0, to).join('').trimStart().length;
const prompt = await page.inputValue('#prompt');
assert.ok(begin > 0 && length(begin) <= prompt.length && length(begin + 1) > prompt.length, 'where the answer begins');
assert.equal(await page.textContent('#begin'), 'answer');

// the weights of a token: of the answer's first, then by keyboard, by mouse in the text, and in the plot
assert.equal(await marked(page), begin);
assert.equal(await told(page), expectedWeights(begin));
await page.focus('#position');
for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
assert.equal(await marked(page), begin + 3);
assert.equal(await told(page), expectedWeights(begin + 3));
assert.equal(await page.textContent('#spelling'), JSON.stringify(tokens[begin + 3]));
assert.ok((await page.getAttribute('#position', 'aria-valuetext')).startsWith(tokens[begin + 3]));
await page.click(last + ' .token >> nth=2');
assert.equal(await told(page), expectedWeights(await marked(page)));
assert.ok(await marked(page) < begin, 'a token of the prompt');
const frame = await page.locator('#plot').boundingBox();
await page.mouse.click(frame.x + frame.width - 2, frame.y + 20);
assert.equal(await marked(page), tokens.length - 1);
assert.equal(await told(page), expectedWeights(tokens.length - 1));
if (shots) await page.screenshot({ path: shots + '/page-wide.png', fullPage: true });
await page.selectOption('#stitch', '0');
const first = await colours(page);
assert.notDeepEqual(first, before, 'another stitch, other colours');

// an expert off, by keyboard alone: another text, below the first one
await page.uncheck('#compare');
await page.focus('#switches input >> nth=0');
await page.keyboard.press('Space');
await page.focus('#prompt');
await page.keyboard.press('Control+Enter');
await done(page);
assert.equal(await count(page), 2);
assert.equal(await page.textContent('.exchange:first-child .answer'), all, 'what was answered stays');
assert.notEqual(await answer(page), all, 'an expert switched off changes the text');
assert.match(await page.textContent('.exchange:last-child h3'), /without code/);
assert.notDeepEqual(await colours(page), first);
await page.focus('#switches input >> nth=0');
await page.keyboard.press('Space');

// stop in the midst: what is there stays
await page.fill('#tokens', '450');
await page.click('#send');
await page.waitForFunction(at => document.querySelector(at).textContent.length > 120, last);
await page.click('#stop');
await page.waitForFunction(() => document.getElementById('status').textContent === 'stopped');
assert.ok(await count(page) === 3 && (await answer(page)).length > 120);

// a conversation of three turns: each sends those before it along, the texts continued above are none of them
await page.selectOption('#mode', 'chat');
await page.fill('#tokens', '20');
const said = [];
for (const question of ['Who are you?', 'And who am I?', 'Why?']) {
  await say(page, question);
  assert.equal(await page.inputValue('#prompt'), '', 'room for the next message');
  said.push({ role: 'user', content: question });
  assert.deepEqual(chats.at(-1).messages, said);
  assert.equal(await page.textContent('.exchange:last-child > .given'), question);
  said.push({ role: 'assistant', content: traces.at(-1).messages.at(-1).content });
  assert.deepEqual(traces.at(-1).messages, said, 'gates along the whole conversation');
  assert.equal((await answer(page)).trim(), said.at(-1).content.trim());
}
assert.equal(await count(page), 6);
assert.doesNotMatch(await font(last), /monospace/);
const inColour = await page.$$eval('.exchange', all => all.map(one => one.querySelectorAll('.token').length > 0));
assert.deepEqual(inColour, [true, true, false, true, true, true], 'all answers but the stopped one');
assert.ok(await page.$eval('#conversation', log => log.scrollHeight > log.clientHeight && log.scrollTop + log.clientHeight > log.scrollHeight - 5), 'the newest is in sight');
if (shots) await page.screenshot({ path: shots + '/page-chat.png', fullPage: true });

// an earlier answer's token: its own exchange's gates
const newest = await page.getAttribute('#position', 'max');
await page.locator('.exchange:nth-child(4) .token').filter({ hasText: /\S/ }).last().click();
assert.ok(Number(await page.getAttribute('#position', 'max')) < Number(newest), 'fewer tokens up to there');
assert.equal(await page.$eval('.token[aria-current]', span => [...document.querySelectorAll('.exchange')].indexOf(span.closest('.exchange'))), 3);

// a message that the server refuses comes back, and the conversation is as it was
expected = 1;
await page.route('**/v1/chat/completions', route => route.fulfill({ status: 429, contentType: 'application/json', body: '{"error":{"message":"The server is busy"}}' }), { times: 1 });
await page.fill('#prompt', 'Once more?');
await page.keyboard.press('Control+Enter');
await page.waitForFunction(() => document.getElementById('status').textContent === 'The server is busy');
assert.equal(await page.inputValue('#prompt'), 'Once more?');
assert.equal(await count(page), 6);

// a new chat, by keyboard alone
await page.focus('#send');
await page.keyboard.press('Tab');
assert.equal(await focused(page), 'new');
await page.keyboard.press('Enter');
assert.equal(await count(page), 0);
assert.equal(await focused(page), 'prompt');
assert.ok(await page.isHidden('#gates') && await page.isHidden('#conversation') && await page.isDisabled('#new'));
await say(page, 'Who are you?');
assert.deepEqual(chats.at(-1).messages, [{ role: 'user', content: 'Who are you?' }], 'nothing of the old one');
assert.equal(await count(page), 1);

// .. and in the midst of an answer, of which nothing is left
await page.fill('#tokens', '450');
await page.fill('#prompt', 'Tell me more');
await page.keyboard.press('Control+Enter');
await page.waitForFunction(at => document.querySelectorAll('.exchange').length === 2 && document.querySelector(at).textContent.length > 20, last);
await page.click('#new');
await page.fill('#tokens', '20');
await say(page, 'Hello');
assert.deepEqual(chats.at(-1).messages, [{ role: 'user', content: 'Hello' }]);
assert.equal(await count(page), 1);

// without a chat template texts are continued, each by itself
const plain = await open({}, page => page.route('**/v1/models', async route => {
  const response = await route.fetch();
  const models = await response.json();
  models.data[0].chat = false;
  await route.fulfill({ response, json: models });
}));
assert.deepEqual(await plain.$$eval('#mode option', all => all.map(one => one.value)), ['continue']);
await plain.fill('#tokens', '10');
await say(plain, 'It was');
assert.ok((await answer(plain)).includes('It was'));
assert.equal(await plain.inputValue('#prompt'), 'It was');

// a chat on a phone, in the dark
const phone = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true });
await phone.fill('#tokens', '25');
for (const question of ['Hola, ¿quién eres?', '¿Y yo?']) {
  await phone.fill('#prompt', question);
  await phone.tap('#send');
  await done(phone);
  assert.ok((await colours(phone)).length > 5);
}
assert.equal(await count(phone), 2);
assert.ok(await fits(phone), 'no sideways scrolling');
await phone.locator(last + ' .token').filter({ hasText: /\S/ }).last().tap();
assert.equal(await told(phone), expectedWeights(await marked(phone)));
if (shots) await phone.screenshot({ path: shots + '/page-phone.png', fullPage: true });
await phone.tap('#new');
assert.equal(await count(phone), 0);

// the narrowest of phones: the table fits, no word of it on a second line
const narrow = await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
await narrow.fill('#tokens', '10');
await say(narrow, 'Hello');
assert.ok(await fits(narrow), 'no sideways scrolling');
assert.ok(await narrow.$eval('#table', box => box.scrollWidth <= box.clientWidth), 'the table fits');
assert.ok(await narrow.$eval('#layers', table => table.tHead.offsetHeight < table.tBodies[0].rows[0].offsetHeight * 1.3), 'one line');
if (shots) await narrow.screenshot({ path: shots + '/page-narrow.png', fullPage: true });

// colours that the system forces, light and dark: the experts' own remain, text and its ground are the system's
for (const colorScheme of ['light', 'dark']) {
  const forced = await open({ viewport: { width: 1100, height: 900 }, forcedColors: 'active', colorScheme });
  await forced.selectOption('#mode', 'continue');
  await forced.fill('#temperature', '0');
  await forced.fill('#tokens', '40');
  await say(forced, 'public static boolean isEmpty(String text) {');
  const swatches = await forced.$$eval('#legend .swatch', all => all.map(one => getComputedStyle(one).backgroundColor));
  assert.equal(new Set(swatches).size, swatches.length, 'swatches differ');
  const underlines = await forced.$$eval(last + ' .token', all => all.map(one => getComputedStyle(one).borderBottomColor));
  assert.ok(new Set(underlines).size > 1 && underlines.every(colour => swatches.includes(colour)), 'underlines in the colours of the legend');
  assert.deepEqual(await forced.$$eval(last + ' .token', all => [...new Set(all.map(one => getComputedStyle(one).color))]), [await forced.$eval('body', body => getComputedStyle(body).color)]);
  if (shots) await forced.screenshot({ path: shots + '/page-forced-' + colorScheme + '.png', fullPage: true });
}
assert.deepEqual(failed.filter(one => !one.endsWith('/v1/completions net::ERR_ABORTED') && !one.endsWith('/v1/chat/completions net::ERR_ABORTED')), []);
assert.equal(failed.length, 2, 'two answers were stopped, and all others are complete for the browser too');
assert.deepEqual(errors, []);
assert.deepEqual(foreign, []);
await browser.close();
console.log('all checks of the page passed');
