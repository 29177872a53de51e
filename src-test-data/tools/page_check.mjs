// Drives the server's page in a headless Chromium: npm install playwright-core, then URL=http://127.0.0.1:8080/ CHROMIUM=/usr/bin/chromium node page_check.mjs [screenshot folder]
import { chromium } from 'playwright-core';
import assert from 'node:assert';
const shots = process.argv[2];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] });
const errors = [], foreign = [];
async function open(options) {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', e => errors.push(e.message));
  page.on('console', m => { if (m.type() === 'error') errors.push(m.text()); });
  page.on('request', r => { if (!r.url().startsWith(process.env.URL)) foreign.push(r.url()); });
  await page.goto(process.env.URL);
  await page.waitForSelector('#switches input');
  return page;
}
const colours = page => page.$$eval('#answer .token', spans => spans.map(s => getComputedStyle(s).borderBottomColor + s.className));
const answer = page => page.textContent('#answer');
const done = page => page.waitForFunction(() => !document.getElementById('send').disabled && /s$/.test(document.getElementById('status').textContent), null, { timeout: 60000 });

const page = await open({ viewport: { width: 1100, height: 1250 } });
await page.fill('#prompt', 'public static boolean isEmpty(String text) {\n    return text');
await page.fill('#temperature', '0');
await page.fill('#tokens', '40');
await page.check('#compare');
await page.click('#send');
await done(page);
const all = await answer(page), before = await colours(page);
assert.ok(before.length > 30 && new Set(before).size > 1, 'tokens in several colours');
assert.ok((await page.textContent('#seed-answer')).length > 60);
assert.equal(await page.$$eval('#plot polyline', l => l.length), (await page.$$('#switches input')).length + 1);
if (shots) await page.screenshot({ path: shots + '/page-wide.png', fullPage: true });
await page.selectOption('#stitch', '0');
assert.notDeepEqual(await colours(page), before, 'another stitch, other colours');

// an expert off, by keyboard alone: another text
await page.focus('#switches input >> nth=0');
await page.keyboard.press('Space');
await page.focus('#prompt');
await page.keyboard.press('Control+Enter');
await done(page);
assert.notEqual(await answer(page), all, 'an expert switched off changes the text');
assert.notDeepEqual(await colours(page), before);

// stop in the midst
await page.fill('#tokens', '450');
await page.click('#send');
await page.waitForFunction(() => document.getElementById('answer').textContent.length > 120);
await page.click('#stop');
await page.waitForFunction(() => document.getElementById('status').textContent === 'stopped');

// chat, on a phone, in the dark
const phone = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true });
await phone.selectOption('#mode', 'chat');
await phone.fill('#prompt', 'Hola, ¿quién eres?');
await phone.fill('#tokens', '25');
await phone.tap('#send');
await done(phone);
assert.ok((await colours(phone)).length > 5);
assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'no sideways scrolling');
if (shots) await phone.screenshot({ path: shots + '/page-phone.png', fullPage: true });
assert.deepEqual(errors, []);
assert.deepEqual(foreign, []);
await browser.close();
console.log('all checks of the page passed');
