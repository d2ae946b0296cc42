import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createFrameReader, frameOf, sizeFrame } from '../../../src/hub/control/terminal-frames.ts';

/** A viewer of a module's terminal that speaks the protocol of the control socket itself. */
export type RawViewer = {
  readonly socket: Socket;
  /** First reply of the hub. */
  readonly reply: unknown;
  readonly text: () => string;
  /** Exit text of the module. Undefined until the module has ended. */
  readonly exitText: () => string | undefined;
  readonly type: (text: string | Buffer) => boolean;
  readonly resize: (columns: number, rows: number) => void;
};

export function openRawViewer(data: string, module: string, columns = 80, rows = 24): Promise<RawViewer> {
  const args = [module, `${columns}`, `${rows}`, ''];
  return new Promise((done, fail) => {
    const read = createFrameReader(Number.POSITIVE_INFINITY);
    const shown: Buffer[] = [];
    let head = Buffer.alloc(0);
    let exitText: string | undefined;
    let accepted = false;
    const take = (bytes: Buffer): void => {
      for (const { kind, payload } of read(bytes) ?? []) {
        if (kind === 'output') shown.push(payload);
        else exitText = payload.toString();
      }
    };
    const socket = connect(join(data, 'control.sock'));
    socket.write(`${JSON.stringify({ command: 'attach', args })}\n`);
    socket.once('error', fail);
    socket.on('data', (bytes: Buffer) => {
      if (accepted) return take(bytes);
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\n');
      if (end < 0) return;
      accepted = true;
      const reply: unknown = JSON.parse(head.toString('utf8', 0, end));
      take(head.subarray(end + 1));
      done({
        socket,
        reply,
        text: () => Buffer.concat(shown).toString(),
        exitText: () => exitText,
        type: text => socket.write(frameOf('input', Buffer.from(text))),
        resize: (width, height) => {
          socket.write(sizeFrame({ columns: width, rows: height }));
        },
      });
    });
  });
}
