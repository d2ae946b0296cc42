import { createMosquitto, mosquittoIsThere } from './mosquitto.ts';
import { createNats, natsIsThere } from './nats.ts';
import { createRabbitmq, rabbitmqIsThere } from './rabbitmq.ts';
import { createSkerry } from './skerry.ts';
import type { Broker, Kind } from './types.ts';

type Maker = { readonly there: () => boolean; readonly create: () => Promise<Broker> };

const MAKERS: Readonly<Record<Kind, Maker>> = {
  mosquitto: { there: mosquittoIsThere, create: createMosquitto },
  rabbitmq: { there: rabbitmqIsThere, create: createRabbitmq },
  nats: { there: natsIsThere, create: createNats },
  skerry: { there: () => true, create: () => createSkerry() },
};

/** Starts a third-party broker or a parent hub. Undefined if it is not installed. */
export async function startBroker(kind: Kind): Promise<Broker | undefined> {
  const { there, create } = MAKERS[kind];
  if (!there()) return undefined;
  const broker = await create();
  await broker.start();
  return broker;
}

export type { Broker, Kind } from './types.ts';
