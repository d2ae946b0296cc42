import type { Message, Origin, QoS } from '../core/message.ts';
import { PLAIN } from '../core/message.ts';
import { outputOf } from './access.ts';
import type { Session } from './session.ts';

/** The parts of a PUBLISH, or of a will, that make a message. */
export type Publication = {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
};

/** What a session published, as every other room sees it. */
export function messageFrom(session: Session, { topic, payload, qos, retain }: Publication): Message {
  return {
    topic,
    body: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    ...PLAIN,
    retain,
    origin: originOf(session, topic),
  };
}

function originOf({ identity, clientId }: Session, topic: string): Origin {
  if (identity.kind === 'client') return { kind: 'client', client: clientId };
  const { module } = identity;
  return { kind: 'module', module, output: outputOf(module, topic) ?? '' };
}
