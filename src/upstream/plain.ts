import { connect } from 'node:net';
import type { Dial } from './link.ts';

/** Plain TCP. */
export const dialPlain: Dial = (host, port, ready) => connect({ host, port, noDelay: true }, ready);
