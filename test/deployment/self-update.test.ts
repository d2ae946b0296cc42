import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import { createSelfUpdate } from '../../src/deployment/self-update.ts';
import type { Placed } from '../../src/manifest/diff/plan.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { updatePaths } from '../../src/self-update/paths.ts';
import { folderWith, removeFolder, skerry } from '../harness/binary.ts';

const selfUpdate = suite('deployments: self-update');

const sha256 = createHash('sha256').update(readFileSync(skerry)).digest('hex');

function deploymentWithHub(from: string): Placed {
  const hub = { [process.arch]: { from, sha256 } };
  return { manifest: parseManifest(JSON.stringify({ name: 'a', listeners: [], hub }), 'm.json'), home: '/' };
}

selfUpdate(
  'a superseded self-update ends during its blocked copy, and the next self-update waits for this copy',
  async () => {
    const folder = folderWith({});
    // Opening a FIFO for reading blocks until it is opened for writing.
    const slow = join(folder, 'slow');
    assert.is(spawnSync('mkfifo', [slow]).status, 0);
    const { stage, trial: state } = createSelfUpdate({
      dataFolder: folder,
      launched: { running: 'base' },
      program: skerry,
      artifacts: { fetchFile: async (_, { from = '' }) => ({ path: from }) },
      requestRestart: () => {},
    });
    const draft = `${updatePaths(folder).binary('a')}.part`;
    const abort = new AbortController();
    const first = stage(deploymentWithHub(slow), abort.signal).then(() => 'staged', reasonOf);
    while (!existsSync(draft)) await new Promise(done => setImmediate(done));
    abort.abort(new Error('superseded'));
    assert.is(await first, 'superseded');
    assert.ok(existsSync(draft), 'it still waits');

    const newer = new AbortController();
    const second = stage(deploymentWithHub(skerry), newer.signal);
    newer.abort(new Error('superseded too'));
    assert.is(await second.then(() => 'staged', reasonOf), 'superseded too');

    const third = stage(deploymentWithHub(skerry), new AbortController().signal);
    await (await open(slow, 'w')).close();
    const undo = await third;
    assert.is(
      createHash('sha256')
        .update(readFileSync(updatePaths(folder).binary('a')))
        .digest('hex'),
      sha256,
    );
    assert.not(existsSync(draft));
    undo();
    assert.equal(state(), { kind: 'none' });
    removeFolder(folder);
  },
);

selfUpdate.run();
