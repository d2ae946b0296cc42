import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { Failure } from '../../../core/errors.ts';
import type { ControlReply } from '../../../hub/control/control.ts';
import { controlPath } from '../../../hub/control/control.ts';
import type { Frame } from '../../../hub/control/terminal-frames.ts';
import { createFrameReader, frameOf, sizeFrame } from '../../../hub/control/terminal-frames.ts';
import { MAX_VIEWER_FRAME_BYTES } from '../../../hub/limits.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { unreachable } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { ATTACH } from '../../reference/modules.ts';
import { print, writeRaw } from '../../system.ts';
import { createRestorer } from './restorer.ts';

const DETACH = 0x1d;
const INTERRUPT = 0x03;

/** Connects this terminal to the terminal of a module until the user presses Ctrl-] or the module ends. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(ATTACH, args);
  const [module = ''] = positionals;
  if (!process.stdin.isTTY || !process.stdout.isTTY)
    throw usageFailure(
      'Standard input and output must be a terminal: for a file or a pipe use "skerry logs"',
      ATTACH,
    );
  const readOnly = values['read-only'] === true;
  const folder = dataFolder(values.data);
  const socket = await open(folder, module, readOnly);
  const how = await show(socket, readOnly);
  if (how === undefined) throw new Failure('hub.unreachable', `The hub of ${folder} has stopped.`);
  print(how === '' ? `Detached from "${module}".` : `"${module}" has ended: ${how}.`);
  return 0;
}

function windowSize() {
  const { columns, rows } = process.stdout;
  return { columns: columns || 80, rows: rows || 24 };
}

/**
 * Opens a control connection. Resolves to the socket when the hub has attached the connection to the module's
 * terminal.
 */
function open(folder: string, module: string, readOnly: boolean): Promise<Socket> {
  const { columns, rows } = windowSize();
  const args = [module, String(columns), String(rows), readOnly ? 'read-only' : ''];
  return new Promise((resolve, reject) => {
    const socket = connect(controlPath(folder));
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\n');
      if (end < 0) return;
      socket.off('data', read).pause();
      const reply: ControlReply = JSON.parse(head.toString('utf8', 0, end));
      socket.unshift(head.subarray(end + 1));
      if ('result' in reply) resolve(socket);
      else
        reject(new Failure(reply.failure.code === 'usage' ? 'usage' : 'hub.refused', reply.failure.sentence));
    };
    socket.on('data', read);
    socket.on('error', error => reject(unreachable(folder, error)));
    socket.once('close', () => reject(unreachable(folder, undefined)));
    socket.write(`${JSON.stringify({ command: 'attach', args })}\n`);
  });
}

/**
 * Shows the terminal of a module until the module ends, the user detaches, or the hub closes the connection.
 * Resolves to a text about the module's exit, to '' if the user detached, or to undefined if the hub closed
 * the connection.
 */
function show(socket: Socket, readOnly: boolean): Promise<string | undefined> {
  const { stdin, stdout } = process;
  const restorer = createRestorer();
  return new Promise(resolve => {
    const leave = (how: string | undefined): void => {
      socket.destroy();
      stdin.setRawMode(false).pause();
      writeRaw(restorer.sequence());
      resolve(how);
    };
    const take = ({ kind, payload }: Frame): void => {
      if (kind === 'ended') {
        leave(payload.toString());
      } else {
        restorer.see(payload);
        writeRaw(payload);
      }
    };
    const read = createFrameReader(Number.POSITIVE_INFINITY);
    socket.on('data', (bytes: Buffer) => {
      for (const frame of read(bytes) ?? []) take(frame);
    });
    socket.once('close', () => leave(undefined));
    socket.on('drain', () => stdin.resume());
    stdin.setRawMode(true);
    stdin.on('data', (typed: Buffer) => {
      const end = typed.findIndex(key => key === DETACH || (readOnly && key === INTERRUPT));
      const room = readOnly || sendTyped(socket, end < 0 ? typed : typed.subarray(0, end));
      if (end >= 0) leave('');
      else if (!room) stdin.pause();
    });
    stdout.on('resize', () => socket.write(sizeFrame(windowSize())));
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => leave(''));
    socket.resume();
  });
}

function sendTyped(socket: Socket, typed: Buffer): boolean {
  let room = true;
  for (let at = 0; at < typed.length; at += MAX_VIEWER_FRAME_BYTES)
    room = socket.write(frameOf('input', typed.subarray(at, at + MAX_VIEWER_FRAME_BYTES)));
  return room;
}
