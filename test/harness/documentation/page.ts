import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, skerry, until } from '../binary.ts';

/*
 * Runs the commands of a page of the documentation, in their order, in a fresh folder. Its fenced blocks:
 *
 *     ```sh             run by bash; must end with 0
 *     ```sh exit=1      must end with that code
 *     ```sh background  stays, as in a terminal of its own; a hub is waited for
 *     ```sh manual      not run: it needs root, systemd or another machine
 *     ```text           output of the block before, which is repeated until it matches; `…` matches any text
 *
 * The comment `<!-- stop -->` stops what was started in the background last.
 */
type Block = { readonly kind: 'run' | 'background' | 'stop'; readonly script: string; readonly exit: number };
type Step = Block & { readonly printed: RegExp | undefined };

/** Ports that pages use; each run of a page has others in their place. */
const PORTS = /\b(188[3-9]|8883)\b/g;

const SECONDS = 30;

/** Steps of a page. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  for (const [, info = '', text = ''] of page.matchAll(/^```(\S.*)\n([\s\S]*?)^```$|^<!-- stop -->$/gm)) {
    const [language, ...words] = info.split(' ');
    const last = steps.at(-1);
    if (language === '') steps.push({ kind: 'stop', script: '', exit: 0, printed: undefined });
    else if (language === 'text' && last?.kind === 'run')
      steps[steps.length - 1] = { ...last, printed: patternOf(text) };
    else if (language === 'sh' && !words.includes('manual')) {
      const exit = Number(/^exit=(\d+)$/.exec(words[0] ?? '')?.[1] ?? 0);
      const kind = words.includes('background') ? 'background' : 'run';
      steps.push({ kind, script: text, exit, printed: undefined });
    }
  }
  return steps;
}

function patternOf(text: string): RegExp {
  const parts = text.trimEnd().split('…');
  return new RegExp(`^${parts.map(part => escaped(part)).join('[^]*?')}\\s*$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Runs a page, given as text. Rejects at the first step that does not do what the page says. */
export async function runPage(page: string): Promise<void> {
  const ports = new Map<string, string>();
  for (const [port] of page.matchAll(PORTS)) if (!ports.has(port)) ports.set(port, String(await freePort()));
  const folder = folderWith({});
  const terminals: Terminal[] = [];
  try {
    const at = { folder, cwd: folder };
    for (const step of stepsOf(page.replaceAll(PORTS, port => ports.get(port) ?? port))) {
      if (step.kind === 'stop') await terminals.pop()?.end();
      else if (step.kind === 'background')
        terminals.push(await openTerminal(step.script, at, terminals.length));
      else await runStep(step, at);
    }
  } finally {
    for (const terminal of terminals.reverse()) await terminal.end();
    removeFolder(folder);
  }
}

type At = { readonly folder: string; cwd: string };

async function runStep({ script, exit, printed }: Step, at: At): Promise<void> {
  for (const end = performance.now() + 1000 * SECONDS; ; ) {
    const { code, out, err } = await runShell(script, at);
    const matches = printed === undefined || printed.test(out);
    if (code === exit && matches) return;
    if (printed !== undefined && performance.now() < end) continue;
    assert.unreachable(`${script}ended with ${code} and printed:\n${out}${err}`);
  }
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: `${dirname(skerry)}:${process.env['PATH'] ?? ''}`, HOME: folder };
}

/** Runs a block; the folder that it changes to is where the next one begins. */
function runShell(script: string, at: At): Promise<{ code: number | null; out: string; err: string }> {
  const noted = join(at.folder, '.cwd');
  const child = spawn('bash', ['-ec', `trap 'pwd > "${noted}"' EXIT\n${script}`], {
    cwd: at.cwd,
    env: environment(at.folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 1000 * SECONDS,
  });
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.err += chunk));
  return new Promise(done =>
    child.once('close', code => {
      at.cwd = readFileSync(noted, 'utf8').trimEnd();
      done({ code, ...texts });
    }),
  );
}

type Terminal = { readonly end: () => Promise<void> };

async function openTerminal(script: string, at: At, number: number): Promise<Terminal> {
  const log = join(at.folder, `.terminal-${number}`);
  writeFileSync(log, '');
  const fd = openSync(log, 'a');
  const child = spawn('bash', ['-ec', `exec ${script}`], {
    cwd: at.cwd,
    env: environment(at.folder),
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  const gone = new Promise<void>(done => child.once('exit', () => done()));
  const listens = (): boolean =>
    child.exitCode !== null || readFileSync(log, 'utf8').includes(' listens on ');
  if (script.startsWith('skerry up')) await until(`${script.trimEnd()} listens`, listens, SECONDS);
  return {
    end: () => {
      child.kill('SIGTERM');
      return gone;
    },
  };
}
