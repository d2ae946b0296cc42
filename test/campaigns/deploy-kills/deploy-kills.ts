import { writeFileSync } from 'node:fs';
import mqtt from 'mqtt';
import { type RunningHub, startHub, until } from '../../harness/binary.ts';
import { enter } from '../../harness/clients/listeners.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

/** Log line after which the hub is killed. */
type Moment = { readonly what: string; readonly logged: RegExp };

/** Result of a kill. */
export type Aftermath = {
  readonly moment: string;
  /** Which set ran in the end. */
  readonly result: 'old' | 'new' | 'mixed';
  readonly lost: readonly string[];
  /** Deviations from the expected state. */
  readonly faults: readonly string[];
};

type Ports = { readonly stays: number; readonly old: number; readonly new: number; readonly parent: number };

/**
 * Steps of the change: preparing, stops and starts in five and four orders, five parts of the hub, one change
 * in place.
 */
const STEPS = 16;
const PATIENCE = 40;

/** Seconds, longer than the forwarder's longest wait between two tries. */
const QUIET = 70;

/** Most of the time is spent waiting. */
const AT_ONCE = 6;

const isOld = (which: Set): boolean => which === 'old';
type Set = 'old' | 'new';

/** Several modules are stopped, restarted and started, one is changed in place, one is kept. */
function setOf(which: Set, ports: Ports, ready: string): object {
  const second = isOld(which) ? 1000 : 2000;
  const sequel = (startupOrder: number): object =>
    sleeper(second + startupOrder, { startupOrder, stopGraceSeconds: 2 });
  const health = { exec: ['test', '-e', ready], everySeconds: 0.1, threshold: 100, readySeconds: 0.1 };
  return quickManifest(
    {
      name: isOld(which) ? 'edge' : 'shore',
      modules: {
        kept: sleeper(500),
        held: sleeper(501, { limits: { pids: isOld(which) ? 50 : 60 } }),
        first: sequel(1),
        second: sequel(2),
        third: sequel(3),
        [isOld(which) ? 'gone' : 'come']: sequel(4),
        ...(isOld(which) ? {} : { last: sleeper(2009, { startupOrder: 5, health }) }),
      },
      listeners: [{ mqtt: `127.0.0.1:${ports.stays}` }, { mqtt: `127.0.0.1:${ports[which]}` }],
      routes: { up: 'FROM topic("up/#") INTO $upstream', [which]: 'FROM topic("in") INTO topic("out")' },
      storeAndForward: { ttl: isOld(which) ? '2d' : '3d' },
      anonymous: { publish: ['#'], subscribe: isOld(which) ? ['#'] : ['kept/#', 'out'] },
      upstream: { url: `mqtt://127.0.0.1:${ports.parent}` },
    },
    ready === 'never' ? '1500ms' : '30s',
  );
}

const COMMANDS: Readonly<Record<Set, readonly string[]>> = {
  old: [
    'first: sleep 1001',
    'gone: sleep 1004',
    'held: sleep 501',
    'kept: sleep 500',
    'second: sleep 1002',
    'third: sleep 1003',
  ],
  new: [
    'come: sleep 2004',
    'first: sleep 2001',
    'held: sleep 501',
    'kept: sleep 500',
    'last: sleep 2009',
    'second: sleep 2002',
    'third: sleep 2003',
  ],
};

/** Every step forward, while it is watched, and every step of a way back. */
export function moments(): { readonly forward: Moment[]; readonly back: Moment[] } {
  const stepsOf = (way: string, most: number): Moment[] =>
    Array.from({ length: most }, (_, at) => ({
      what: `${way} step ${at + 1}`,
      logged: new RegExp(`${way} "shore" [0-9a-f]{8}, step ${at + 1} of ${STEPS}: `),
    }));
  const watching = { what: 'while it is watched', logged: /Module "last" is not ready after/ };
  return {
    forward: [...stepsOf('hub:', STEPS), watching],
    back: [watching, ...stepsOf('Rollback of', STEPS)],
  };
}

/** Publishes at QoS 1 until it is told to stop; what was acknowledged must not be lost. */
function startLoad(port: number) {
  const promised: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: 'load', reconnectPeriod: 50 });
  client.on('error', () => {});
  let going = true;
  let number = 0;
  const say = (): void => {
    const body = String(number++);
    const topic = number % 2 === 0 ? 'kept/load' : 'up/load';
    client.publish(topic, body, { qos: 1 }, error => {
      if (!error) promised.push(`${topic} ${body}`);
      if (going) setTimeout(say, 5);
    });
  };
  say();
  return {
    promised,
    stop: async (): Promise<void> => {
      going = false;
      await client.endAsync(true);
    },
  };
}

/** A client whose session is kept, and that is away until all is over. */
async function reader(
  port: number,
  filter: string,
): Promise<{ readonly heard: globalThis.Set<string>; readonly close: () => Promise<void> }> {
  const heard = new Set<string>();
  const options = { clientId: 'reader', clean: false, reconnectPeriod: 50 };
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options);
  client.on('error', () => {});
  client.on('message', (topic, body) => heard.add(`${topic} ${body}`));
  await new Promise(done => client.once('connect', done));
  await client.subscribeAsync(filter, { qos: 1 });
  return { heard, close: () => client.endAsync() };
}

/** Queues messages for a session that is away and for a parent that is away. */
async function queue(ports: Ports): Promise<string[]> {
  const session = await enter(`mqtt://127.0.0.1:${ports.stays}`, { clientId: 'reader', clean: false });
  await session.subscribeAsync('kept/#', { qos: 1 });
  await session.endAsync();
  const client = await enter(`mqtt://127.0.0.1:${ports.stays}`, { clientId: 'before' });
  const promised: string[] = [];
  for (let number = 0; number < 20; number += 1) {
    for (const topic of ['kept/before', 'up/before']) {
      await client.publishAsync(topic, String(number), { qos: 1 });
      promised.push(`${topic} ${number}`);
    }
  }
  await client.endAsync();
  return promised;
}

/** Messages of `promised` that reach neither the session nor the parent. */
async function lostOf(
  ports: Ports,
  promised: readonly string[],
  above: ReadonlySet<string>,
): Promise<string[]> {
  const here = await reader(ports.stays, 'kept/#');
  const missing = (): string[] =>
    promised.filter(one => !here.heard.has(one) && !above.has(`edge/${one}`) && !above.has(`shore/${one}`));
  try {
    await until('all that was promised has come', () => missing().length === 0, QUIET).catch(() => {});
    return missing();
  } finally {
    await here.close();
  }
}

/** Ports that no client is given by the system, while the hub that has them is down. */
let lastPort = 20_000 + (process.pid % 60) * 200;
function ownPort(): number {
  lastPort += 1;
  return lastPort;
}

/** Deviations from this set. */
async function faultsOf(device: TestDevice, which: Set, ports: Ports): Promise<string[]> {
  const { name, listeners, routes, deployment, modules } = await device.status();
  const [is, wanted] = [
    {
      name,
      listeners,
      routes: routes.map(route => route.name),
      commands: device.commands(),
      modules: modules.length,
    },
    {
      name: isOld(which) ? 'edge' : 'shore',
      listeners: [ports.stays, ports[which]].map(port => `127.0.0.1:${port}`),
      routes: ['up', which],
      commands: COMMANDS[which],
      modules: COMMANDS[which].length,
    },
  ].map(one => JSON.stringify(one));
  return [
    ...(is === wanted ? [] : [`${which} should run, but this does: ${is}`]),
    ...(deployment.current?.id === deployment.healthy?.id ? [] : ['what runs is not what was healthy last']),
  ];
}

/**
 * Applies a change and kills the hub at that moment, then goes on with another hub until the change has its
 * end.
 */
export async function killAt({ what, logged }: Moment, way: 'forward' | 'back'): Promise<Aftermath> {
  const [stays, old, next, parent] = [ownPort(), ownPort(), ownPort(), ownPort()];
  const ports = { stays, old, new: next, parent };
  const device = openTestDevice();
  let above: RunningHub | undefined;
  try {
    writeFileSync(device.at('ready'), '');
    device.write('old.json', setOf('old', ports, 'ready'));
    await device.up('old.json');
    await until(
      'the old one is healthy',
      () => device.hub().log().includes('"edge"') && /is healthy/.test(device.hub().log()),
      PATIENCE,
    );
    const before = await queue(ports);
    const load = startLoad(stays);
    // Watched for as long as a test may take, unless it is to go back.
    const ready = way === 'back' ? 'never' : 'later';
    await device.apply(setOf('new', ports, ready), '--no-wait');
    await until(`it is at ${what}`, () => logged.test(device.hub().log()), PATIENCE);
    await device.hub().end('SIGKILL');
    // The parent is back before the hub, which would try again only after a while.
    device.write('parent.json', { name: 'parent', listeners: [{ mqtt: `127.0.0.1:${parent}` }] });
    above = await startHub(device.folder, 'parent.json', 'parent');
    const { heard, close } = await reader(parent, '+/up/#');
    await device.up('old.json');
    writeFileSync(device.at('later'), '');
    let open = true;
    const watched = async (): Promise<void> => {
      while (open) {
        const { deployment } = await device.status();
        open = deployment.attempt !== undefined || deployment.current?.id !== deployment.healthy?.id;
        await new Promise(done => setTimeout(done, 50));
      }
    };
    const late = new Promise<never>((_, fail) =>
      setTimeout(fail, PATIENCE * 1000, new Error('It came to no end.')).unref(),
    );
    await Promise.race([watched(), late]);
    await load.stop();
    const name = (await device.status()).name === 'edge' ? 'old' : 'new';
    await until('all of it runs', () => device.commands().length === COMMANDS[name].length, PATIENCE).catch(
      () => {},
    );
    const faults = await faultsOf(device, name, ports);
    if (way === 'back' && name === 'new') faults.push('what never was healthy runs');
    const lost = await lostOf(ports, [...before, ...load.promised], heard);
    await close();
    return { moment: what, result: faults.length > 0 ? 'mixed' : name, lost, faults };
  } finally {
    await above?.end('SIGTERM');
    await device.close();
  }
}

/** Kills at all of these moments, some at a time: each has a device of its own. */
export async function killAtAll(all: readonly Moment[], way: 'forward' | 'back'): Promise<Aftermath[]> {
  const left = [...all];
  const aftermaths: Aftermath[] = [];
  const work = async (): Promise<void> => {
    for (let moment = left.shift(); moment !== undefined; moment = left.shift())
      aftermaths.push(await killAt(moment, way));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return aftermaths;
}
