import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

/*
 * node make-code-cache.mjs PROGRAM NATIVE CACHE MANIFEST DATA: run in the runtime that the binary will be.
 * Starts a hub from its program as the binary would, with lmdb's part NATIVE. Once it listens, what V8 has
 * made of the program by then is written to CACHE, and the hub is stopped. A CACHE that is there is used, and
 * must fit.
 */
const [text, native, cache, manifest, data] = process.argv.slice(2);
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(readFileSync(text, 'utf8'), { filename: 'hub.cjs', cachedData });
if (script.cachedDataRejected === true) throw new Error('V8 does not take what it made itself.');
const builtin = createRequire(import.meta.url);
const sea = { isSea: () => true, getRawAsset: () => new Uint8Array(readFileSync(native)).buffer };

const write = process.stderr.write.bind(process.stderr);
process.stderr.write = (line, ...more) => {
  if (line.includes(' listens on ')) {
    writeFileSync(cache, script.createCachedData());
    process.kill(process.pid, 'SIGTERM');
  }
  return write(line, ...more);
};

const module = { exports: {} };
const require = name => (name === 'node:sea' ? sea : builtin(name));
script.runInThisContext()(module.exports, require, module, process.execPath, '/');
module.exports.main([manifest, '--data', data]);
