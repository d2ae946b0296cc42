import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killAtAll, moments } from './deploy-kills.ts';

const kills = suite('e2e: kills in a change');

/** The short form kills at each third moment; `npm run deploy-kills` kills at all of them. */
const isShort = (_: unknown, index: number): boolean => index % 3 === 0;

const { forward, back } = moments();

for (const [way, all] of [
  ['forward', forward.filter(isShort)],
  ['back', back.filter(isShort)],
] as const) {
  kills(
    `SIGKILL on the way ${way}: the old set or the new one, never a mix, and nothing queued is lost`,
    async () => {
      for (const { moment, result, lost, faults } of await killAtAll(all, way)) {
        assert.equal([faults, lost], [[], []], moment);
        assert.ok(way === 'forward' || result === 'old', moment);
      }
    },
  );
}

kills.run();
