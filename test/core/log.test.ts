import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { logFor } from '../../src/core/log.ts';
import {
  LOG_BURST,
  LOG_KIND_BURST,
  LOG_REPORT_MS,
  MAX_LOG_QUOTE,
  MAX_LOG_SENTENCE,
  MAX_LOG_VALUE,
} from '../../src/core/logging/limits.ts';
import { logLine, logObject } from '../../src/core/logging/line.ts';
import { limitLog } from '../../src/core/logging/rate-limit.ts';
import { escapeHidden } from '../../src/core/text/escape.ts';
import { createTestClock } from '../harness/clock.ts';

function createLimitedLog() {
  const clock = createTestClock();
  const lines: string[] = [];
  const { sink, report } = limitLog((...line) => lines.push(logLine(...line)), clock);
  return { clock, lines, report, log: logFor('broker', sink) };
}

const logging = suite('core: log');

logging('a log line ends with its defined fields, in quotes if necessary', () => {
  const fields = { client: 'c 1', user: undefined, module: 'camera', address: '127.0.0.1' };
  assert.is(
    logLine('warn', 'broker', 'Refused a connection: wrong password.', fields),
    'warn  broker: Refused a connection: wrong password. client="c 1" module=camera address=127.0.0.1',
  );
});

logging('a value in a log line cannot forge a field, a line or a colour', () => {
  const evil = 'x" user=root\n2026 error hub: \x1b[2J\x07\x9b\u202e\u2028\ud800';
  const line = logLine('warn', 'broker', `Refused "${evil}".`, { client: evil });
  assert.match(line, /^[ -~]+$/);
  assert.ok(line.endsWith(` client=${escapeHidden(JSON.stringify(evil))}`), line);
  assert.is(JSON.parse(line.slice(line.indexOf('client=') + 7)), evil);
});

logging(
  'a JSON log line is one object with values of limited length, and a value cannot forge another line',
  () => {
    const evil = 'x" user=root\n2026 error hub: \x1b[2J\x07\x9b\u202e\u2028\ud800';
    const fields = { client: evil, user: undefined, module: 'm'.repeat(60_000) };
    const line = logObject('2026-03-04T05:06:07.089Z', 'warn', 'broker', `Refused "${evil}".`, fields);
    assert.match(line, /^[ -~]+$/);
    assert.equal(JSON.parse(line), {
      time: '2026-03-04T05:06:07.089Z',
      level: 'warn',
      area: 'broker',
      message: `Refused "${evil}".`,
      client: evil,
      module: `${'m'.repeat(MAX_LOG_VALUE)}...`,
    });
  },
);

logging('letters of all scripts are written to the log unchanged', () => {
  for (const text of ['Küche', 'кухня', '厨房', '🍳', 'a\tb'.replace('\t', ' ')])
    assert.is(escapeHidden(text), text);
  assert.is(escapeHidden('a\tb\nc\rd', '\n\t'), 'a\tb\nc\\rd');
});

logging('a long log line is shortened in its long quotation, not in the reason behind the quotation', () => {
  const long = 'x'.repeat(60_000);
  const line = logLine('warn', 'broker', `Refused "${long}": not granted. ${long}`, {
    client: long,
    user: long,
  });
  assert.ok(line.length < MAX_LOG_SENTENCE + 2 * MAX_LOG_VALUE + 100, String(line.length));
  assert.match(line, new RegExp(`^warn  broker: Refused "x{${MAX_LOG_QUOTE}}\\.\\.\\.": not granted\\. x+`));
});

logging('log lines of one kind are rate-limited and counted together, whatever values a peer sends', () => {
  const { clock, lines, log } = createLimitedLog();
  for (let n = 0; n < 3600; n++) log.warn(`Refused "c${n}": "${'"'.repeat(n % 5)}".`, { client: `c${n}` });
  assert.is(lines.length, LOG_KIND_BURST);
  log.warn('Another kind.');
  assert.is(lines.at(-1), 'warn  broker: Another kind.');
  clock.advance(LOG_REPORT_MS);
  const suppressed = 3600 - LOG_KIND_BURST;
  assert.is(
    lines.at(-1),
    `warn  broker: Suppressed ${suppressed} more lines of this kind, the last: Refused "c3599": """""". client=c3599`,
  );
  clock.advance(LOG_REPORT_MS);
  assert.is(lines.length, LOG_KIND_BURST + 2);
  assert.is(clock.pending(), 0);
});

logging('log lines of a kind that was rate-limited are written again after LOG_REPORT_MS', () => {
  const { clock, lines, log } = createLimitedLog();
  for (let n = 0; n < 2 * LOG_KIND_BURST; n++) log.warn('Again.');
  clock.advance(LOG_REPORT_MS);
  log.warn('Again.');
  assert.is(lines.at(-1), 'warn  broker: Again.');
});

logging('log lines of all kinds together are rate-limited', () => {
  const { clock, lines, log } = createLimitedLog();
  const kind = (n: number): string => `Kind ${n.toString(2).replaceAll('0', 'a').replaceAll('1', 'b')}.`;
  for (let n = 0; n < 3 * LOG_BURST; n++) log.warn(kind(n));
  assert.is(lines.length, LOG_BURST);
  clock.advance(LOG_REPORT_MS);
  assert.ok(lines.length <= LOG_BURST + 2 * 512 + 1, String(lines.length));
});

logging('log lines of each module are rate-limited separately', () => {
  const { lines, log } = createLimitedLog();
  for (let n = 0; n < 2 * LOG_KIND_BURST; n++) log.info(`Module "m${n % 2}" is ready.`);
  log.info('Module "other" is ready.');
  assert.is(lines.length, 2 * LOG_KIND_BURST + 1);
});

logging('`report` logs the number of suppressed log lines', () => {
  const { lines, log, report } = createLimitedLog();
  for (let n = 0; n <= LOG_KIND_BURST; n++) log.warn('Again.');
  report();
  assert.is(lines.at(-1), 'warn  broker: Suppressed 1 more line of this kind, the last: Again.');
});

logging.run();
