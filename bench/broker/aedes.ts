import { createServer } from 'node:net';
import { requirePeer } from '../peers.ts';

/* aedes.ts <port>: runs aedes on loopback. */

const VERSION = '1.2.0';

type Aedes = {
  readonly Aedes: { createBroker: () => Promise<{ readonly handle: (socket: unknown) => void }> };
};

const { Aedes }: Aedes = requirePeer('aedes', VERSION)('aedes');
const { handle } = await Aedes.createBroker();
createServer(handle).listen(Number(process.argv[2]), '127.0.0.1');
