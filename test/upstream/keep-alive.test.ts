import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startKeepAlive } from '../../src/upstream/link/keep-alive.ts';
import { createTestClock } from '../harness/clock.ts';

const keepAlive = suite('upstream: keep-alive');

/** Keep-alive interval in milliseconds. */
const INTERVAL = 10_000;

/** Silence after which a server closes the connection (MQTT 5, 3.1.2.10). */
const SERVER_TIMEOUT = 1.5 * INTERVAL;

type Step = { readonly afterMs: number; readonly event: 'receives' | 'sends' };

/** Plays steps on a link. Returns the longest time in which the server receives nothing, and the pings. */
function play(steps: readonly Step[]): { readonly longestSilence: number; readonly pings: number } {
  const clock = createTestClock();
  let lastSent = clock.monotonic();
  let longestSilence = 0;
  let pings = 0;
  const sent = (): void => {
    longestSilence = Math.max(longestSilence, clock.monotonic() - lastSent);
    lastSent = clock.monotonic();
    link.said();
  };
  const link = startKeepAlive({
    clock,
    milliseconds: INTERVAL,
    waiting: () => 0,
    readingSince: () => 0,
    ping: () => {
      pings++;
      sent();
      link.heard();
    },
    dead: () => assert.unreachable('the server is alive'),
  });
  for (const { afterMs, event } of steps) {
    clock.advance(afterMs);
    if (event === 'sends') sent();
    else link.heard();
  }
  clock.advance(3 * INTERVAL);
  longestSilence = Math.max(longestSilence, clock.monotonic() - lastSent);
  link.stop();
  return { longestSilence, pings };
}

/** A step every `everyMs`, for an hour. */
function steadily(event: Step['event'], everyMs: number): Step[] {
  return Array.from({ length: 3_600_000 / everyMs }, () => ({ afterMs: everyMs, event }));
}

keepAlive('an upstream connection that only receives packets sends PINGREQ before the server timeout', () => {
  const { longestSilence } = play(steadily('receives', 1_000));
  assert.ok(longestSilence <= INTERVAL, `${longestSilence} ms`);
});

keepAlive('an upstream connection that steadily sends other packets sends no PINGREQ', () => {
  const both = steadily('sends', 1_000).flatMap(step => [step, { afterMs: 0, event: 'receives' } as const]);
  // The link is silent after the steps.
  assert.ok(play(both).pings <= 4);
});

keepAlive(
  'an upstream connection sends a packet within each server timeout, whatever the hub receives',
  () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 9_000 }),
      event: fc.constantFrom('receives' as const, 'sends' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => play(steps).longestSilence < SERVER_TIMEOUT),
      { numRuns: 500 },
    );
  },
);

keepAlive.run();
