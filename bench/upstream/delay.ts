import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/*
 * delay.ts <port> <to> <ms>
 *
 * Proxy that simulates a slow network: forwards the bytes of each direction after the delay. Prints "ready".
 */
const [port = 0, to = 0, delay = 0] = process.argv.slice(2).map(Number);

function forward(from: Socket, into: Socket): void {
  from.on('data', chunk => setTimeout(() => into.write(chunk), delay));
  from.on('close', () => setTimeout(() => into.destroy(), delay));
  from.on('error', () => from.destroy());
}

const server = createServer({ noDelay: true }, near => {
  const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
  forward(near, far);
  forward(far, near);
});
server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
