import { getAsset, getAssetKeys, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/**
 * Runs a program that lies in the binary as a text, a function of what a module of CommonJS is given; returns
 * its exports. What V8 made of it before spares it to read the text. If it does not fit this V8, V8 reads the
 * text.
 */
export function runProgram(name, require, filename, dirname) {
  const script = new Script(getAsset(name, 'utf8'), { filename: `${name}.cjs`, cachedData: cacheOf(name) });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename, dirname);
  return module.exports;
}

/** Its first byte says where it begins (build/code-cache.mjs). */
function cacheOf(name) {
  const asset = `${name}.cache`;
  if (!getAssetKeys().includes(asset)) return undefined;
  const bytes = Buffer.from(getRawAsset(asset));
  return bytes.subarray(bytes[0]);
}
