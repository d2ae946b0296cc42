import { createMosquitto, isMosquittoInstalled } from './mosquitto.ts';
import { createNats, isNatsInstalled } from './nats.ts';
import { createRabbitmq, isRabbitmqInstalled } from './rabbitmq.ts';
import { createSkerry } from './skerry.ts';
import type { Broker, Kind } from './types.ts';

type BrokerFactory = { readonly isInstalled: () => boolean; readonly create: () => Promise<Broker> };

const FACTORIES: Readonly<Record<Kind, BrokerFactory>> = {
  mosquitto: { isInstalled: isMosquittoInstalled, create: createMosquitto },
  rabbitmq: { isInstalled: isRabbitmqInstalled, create: createRabbitmq },
  nats: { isInstalled: isNatsInstalled, create: createNats },
  skerry: { isInstalled: () => true, create: () => createSkerry() },
};

/** Starts a third-party broker or a parent hub. Undefined if it is not installed. */
export async function startBroker(kind: Kind): Promise<Broker | undefined> {
  const { isInstalled, create } = FACTORIES[kind];
  if (!isInstalled()) return undefined;
  const broker = await create();
  await broker.start();
  return broker;
}

export type { Broker, Kind } from './types.ts';
