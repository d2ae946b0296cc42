import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/*
 * delay.ts <port> <to> <ms>
 *
 * A network: what comes on one port goes to another so much later, and the answers too. Says "ready".
 */
const [port = 0, to = 0, delay = 0] = process.argv.slice(2).map(Number);

function carry(from: Socket, into: Socket): void {
  from.on('data', chunk => setTimeout(() => into.write(chunk), delay));
  from.on('close', () => setTimeout(() => into.destroy(), delay));
  from.on('error', () => from.destroy());
}

const server = createServer({ noDelay: true }, near => {
  const far = connect({ port: to, host: '127.0.0.1', noDelay: true });
  carry(near, far);
  carry(far, near);
});
server.listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
