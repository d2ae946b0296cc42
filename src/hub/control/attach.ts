import type { Socket } from 'node:net';
import type { Cancel } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Supervisor } from '../../supervisor/spec.ts';
import type { Attachment } from '../../supervisor/terminal/shared-terminal.ts';
import { MAX_VIEWER_BACKLOG_BYTES, MAX_VIEWER_FRAME_BYTES } from '../limits.ts';
import type { Frame } from './terminal-frames.ts';
import { createFrameReader, frameOf, sizeIn, sizeOf } from './terminal-frames.ts';

const NOTHING_PRINTED = frameOf('output', Buffer.alloc(0));

/**
 * Attaches a control connection to a module's terminal. Sends the reply `accepted`. After this reply,
 * terminal frames are sent in both directions until one side closes the connection. A viewer that does not
 * read is disconnected. `args` contains the module name, the columns, the rows, and optionally `read-only`.
 * Throws the Failures of `Supervisor.attach`.
 */
export function attach(
  supervisor: Pick<Supervisor, 'attach'>,
  [module = '', columns, rows, mode]: readonly string[],
  socket: Socket,
  accepted: string,
): void {
  const size = sizeOf(Number(columns), Number(rows));
  if (size === undefined)
    throw new Failure('usage', 'The columns and the rows of a terminal must be from 1 to 65535.');

  const leave = (how: string): void => {
    attachment.detach();
    socket.end(frameOf('ended', Buffer.from(how)));
    // Resumes the socket, because a paused socket does not report that its peer has closed the connection.
    socket.resume();
  };
  const printed = (bytes: Buffer): void => {
    if (!socket.writable) return;
    if (socket.writableLength <= MAX_VIEWER_BACKLOG_BYTES) socket.write(frameOf('output', bytes));
    else socket.destroy();
  };
  const attachment = supervisor.attach(module, { size, printed, ended: leave });
  socket.write(accepted);
  printed(attachment.scrollback);

  const take = takeFrames(attachment, mode === 'read-only', socket);
  const read = createFrameReader(MAX_VIEWER_FRAME_BYTES);
  socket.on('data', (bytes: Buffer) => {
    const frames = read(bytes);
    if (frames === undefined) socket.destroy();
    else for (const frame of frames) take(frame);
  });
  socket.on('end', () => socket.end());
  socket.once('close', attachment.detach);
}

/**
 * Returns a function that passes the viewer's input to the module. While the module does not read, the
 * viewer's socket is paused. A paused socket does not report that the viewer has closed the connection. The
 * hub therefore sends an empty output frame every second, which fails if the connection is closed.
 */
function takeFrames({ input, resize, everySecond }: Attachment, readOnly: boolean, socket: Socket) {
  let cancel: Cancel | undefined;
  const resume = (): void => {
    cancel?.();
    cancel = undefined;
    socket.resume();
  };
  const hold = (): void => {
    socket.pause();
    cancel ??= everySecond(() => {
      if (socket.writable) socket.write(NOTHING_PRINTED);
    });
  };
  input.on('drain', resume);
  socket.once('close', () => {
    input.off('drain', resume);
    cancel?.();
  });
  return ({ kind, payload }: Frame): void => {
    if (kind === 'size') {
      const size = sizeIn(payload);
      if (size !== undefined) resize(size);
    } else if (kind === 'input' && !readOnly && input.writable && !input.write(payload)) {
      hold();
    }
  };
}
