import { getAsset, getAssetKeys, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/**
 * Runs a program that the binary contains as text, and returns its exports. The text is a function with the
 * variables of a CommonJS module as parameters. V8 uses the code cache in the binary instead of the text. If
 * the cache does not fit this version of V8, V8 compiles the text.
 */
export function runProgram(name, require, filename, dirname) {
  const script = new Script(getAsset(name, 'utf8'), { filename: `${name}.cjs`, cachedData: cacheOf(name) });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename, dirname);
  return module.exports;
}

/** Returns the code cache of a program. Its first byte is the offset of the cache (build/code-cache.mjs). */
function cacheOf(name) {
  const asset = `${name}.cache`;
  if (!getAssetKeys().includes(asset)) return undefined;
  const bytes = Buffer.from(getRawAsset(asset));
  return bytes.subarray(bytes[0]);
}
