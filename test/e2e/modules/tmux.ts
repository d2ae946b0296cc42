import { spawnSync } from 'node:child_process';
import { until } from '../../harness/binary.ts';

/** A tmux window with a shell. */
export type Window = {
  /** Types text. */
  readonly type: (text: string) => void;
  /** Types keys by their tmux names. */
  readonly keys: (...names: readonly string[]) => void;
  /** Lines on the screen. */
  readonly shown: () => string;
  readonly resize: (columns: number, rows: number) => void;
  readonly shows: (pattern: RegExp) => Promise<void>;
};

export type Tmux = { readonly open: (columns: number, rows: number) => Window; readonly close: () => void };

/** Starts a tmux server with its socket in `folder`, separate from the user's server. */
export function startTmux(folder: string): Tmux {
  let windows = 0;
  const tmux = (...args: readonly string[]): string => {
    const env = { ...process.env, TMUX_TMPDIR: folder, TERM: 'xterm' };
    const { status, stdout, stderr } = spawnSync('tmux', ['-f', '/dev/null', ...args], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  return {
    open: (columns, rows) => {
      windows += 1;
      const name = `w${windows}`;
      tmux('new-session', '-d', '-s', name, '-x', `${columns}`, '-y', `${rows}`, 'env PS1=ready: sh');
      tmux('set-option', '-t', name, 'status', 'off');
      tmux('resize-window', '-t', name, '-x', `${columns}`, '-y', `${rows}`);
      const shown = (): string => tmux('capture-pane', '-p', '-t', name);
      return {
        type: text => tmux('send-keys', '-t', name, '-l', text),
        keys: (...names) => tmux('send-keys', '-t', name, ...names),
        shown,
        resize: (width, height) => tmux('resize-window', '-t', name, '-x', `${width}`, '-y', `${height}`),
        shows: async pattern => {
          await until(`it shows ${pattern}`, () => pattern.test(shown())).catch(error => {
            throw new Error(`${error.message} It shows:\n${shown()}`);
          });
        },
      };
    },
    close: () => {
      if (windows > 0) tmux('kill-server');
    },
  };
}
