import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

/*
 * node make-code-cache.mjs PROGRAM NATIVE CACHE MANIFEST DATA
 *
 * Must be run by the runtime of the binary. Starts a hub from PROGRAM as the binary does, with NATIVE as the
 * native library of lmdb. Once the hub listens, writes V8's code cache of the program to CACHE and stops the
 * hub. If CACHE exists, V8 uses it for the start. Fails if V8 rejects the existing CACHE.
 */
const [text, native, cache, manifest, data] = process.argv.slice(2);
const cachedData = existsSync(cache) ? readFileSync(cache) : undefined;
const script = new Script(readFileSync(text, 'utf8'), { filename: 'hub.cjs', cachedData });
if (script.cachedDataRejected === true) throw new Error('V8 rejects the code cache that it has created.');
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
