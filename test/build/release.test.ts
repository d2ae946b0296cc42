import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { notesOf } from '../../build/package/release-notes.ts';
import { VERSION } from '../../src/core/version.ts';
import { folderWith, run, skerry } from '../harness/binary.ts';

type Context = { folder: string };

const release = suite<Context>('build: releases and packs in CI');

const action = resolve(import.meta.dirname, '../../action');

release.before(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-release-'));
});

release.after(({ folder }) => rmSync(folder, { recursive: true }));

release('the notes of a release are the section of its version in the changelog', () => {
  const changelog = '# Changelog\n\n## 0.2.0, 2026-12-01\n\n- New.\n\n## 0.1.0, 2026-11-01\n\n- First.\n';
  assert.is(notesOf(changelog, '0.2.0'), '- New.\n');
  assert.is(notesOf(changelog, '0.1.0'), '- First.\n');
  assert.throws(() => notesOf(changelog, '0.2'), /no section for 0\.2/);
  const open = '## 0.3.0, unreleased\n\n- Next.\n';
  assert.throws(() => notesOf(open, '0.3.0'), /says that 0\.3\.0 is unreleased: write its date there/);
  const own = readFileSync(resolve(action, '../CHANGELOG.md'), 'utf8').replace(', unreleased', '');
  assert.ok(notesOf(own, VERSION).length > 100);
});

release('the action downloads the binary only if its SHA-256 is right', ({ folder }) => {
  const version = mkdtempSync(join(folder, 'v'));
  const text = '#!/bin/sh\necho stub\n';
  writeFileSync(join(version, `skerry-linux-${process.arch}`), text);
  const paths = join(folder, 'github-path');
  const get = (sha256: string): { status: number | null; stderr: string } =>
    spawnSync(join(action, 'get-skerry.sh'), {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        RUNNER_TEMP: folder,
        GITHUB_PATH: paths,
        SKERRY_BASE_URL: `file://${dirname(version)}`,
        VERSION: version.slice(join(folder, 'v').length),
        SHA256: sha256,
      },
    });
  const wrong = get('0'.repeat(64));
  assert.is(wrong.status, 1);
  assert.match(wrong.stderr, /::error::The SHA-256 of .* is not 0+: correct the input "sha256"/);
  assert.not(existsSync(paths));
  const right = get(createHash('sha256').update(text).digest('hex'));
  assert.equal([right.status, right.stderr], [0, '']);
  const installed = join(readFileSync(paths, 'utf8').trim(), 'skerry');
  assert.is(spawnSync(installed, { encoding: 'utf8' }).stdout, 'stub\n');
});

release('the action signs a pack with the key of its environment and lists the pack', ({ folder }) => {
  const work = folderWith({ 'm.json': JSON.stringify({ name: 'shop', serial: 1, for: ['shop'] }) }, folder);
  assert.is(run(['keygen', '--out', join(work, 'factory')]).code, 0);
  const summary = join(work, 'summary');
  const pack = (key: string): { status: number | null; stderr: string } =>
    spawnSync(join(action, 'pack.sh'), {
      cwd: work,
      encoding: 'utf8',
      env: {
        PATH: `${dirname(skerry)}:${process.env['PATH']}`,
        MANIFEST: 'm.json',
        OUT: 'shop.skerry',
        SKERRY_KEY: key,
        GITHUB_STEP_SUMMARY: summary,
      },
    });
  const signed = pack(readFileSync(join(work, 'factory.key'), 'utf8'));
  assert.equal([signed.status, signed.stderr], [0, '']);
  assert.match(readFileSync(summary, 'utf8'), /^### shop\.skerry\n```\n/);
  assert.match(readFileSync(join(work, 'shop.skerry'), 'latin1'), /"signature"/);
  const damaged = pack('confidential');
  assert.is(damaged.status, 2);
  assert.match(damaged.stderr, /the environment variable SKERRY_KEY is not a Skerry key/);
  assert.not.match(damaged.stderr, /confidential/);
});

release.run();
