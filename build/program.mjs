import { getAsset, getAssetKeys, getRawAsset } from 'node:sea';
import { Script } from 'node:vm';

/**
 * Runs a program that lies in the binary as a text, a function of what a module of CommonJS is given; returns its exports.
 * What V8 made of it before spares it to read the text. If it does not fit this V8, V8 reads the text.
 */
export function runProgram(name, require, filename, dirname) {
  const cache = `${name}.cache`;
  const cachedData = getAssetKeys().includes(cache) ? Buffer.from(getRawAsset(cache)) : undefined;
  const script = new Script(getAsset(name, 'utf8'), { filename: `${name}.cjs`, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename, dirname);
  return module.exports;
}
