import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killAtAll, moments } from './deploy-kills.ts';

const kills = suite('campaign: SIGKILL during a deployment');

/** True for each third moment. `npm run deploy-kills` kills the hub at all moments. */
const isShort = (_: unknown, index: number): boolean => index % 3 === 0;

const { forward, back } = moments();

for (const [what, way, all] of [
  ['an apply', 'forward', forward.filter(isShort)],
  ['a rollback', 'back', back.filter(isShort)],
] as const) {
  kills(
    `a SIGKILL during ${what} leaves the old or the new manifest running and loses no queued message`,
    async () => {
      for (const { moment, result, lost, faults } of await killAtAll(all, way)) {
        assert.equal([faults, lost], [[], []], moment);
        assert.ok(way === 'forward' || result === 'old', moment);
      }
    },
  );
}

kills.run();
