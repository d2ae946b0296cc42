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
  /** Manifest that ran at the end. */
  readonly result: 'old' | 'new' | 'mixed';
  readonly lost: readonly string[];
  /** Deviations from the expected state. */
  readonly faults: readonly string[];
};

type Ports = { readonly stays: number; readonly old: number; readonly new: number; readonly parent: number };

/**
 * Steps of the plan: preparation, five stops, four starts, five components of the hub, and one adjustment.
 */
const STEPS = 16;
const TIMEOUT_SECONDS = 40;

/** Seconds, longer than the maximum reconnect delay of the forwarder. */
const QUIET_SECONDS = 70;

/** Kills that run at the same time, because they mostly wait. */
const CONCURRENT_KILLS = 6;

const isOld = (which: Version): boolean => which === 'old';
type Version = 'old' | 'new';

/** Manifests whose difference stops, restarts and starts modules, adjusts one and keeps one. */
function setOf(which: Version, ports: Ports, ready: string): object {
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

const COMMANDS: Readonly<Record<Version, readonly string[]>> = {
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

/** Moments of a kill: each step of an apply, the health window, and each step of a rollback. */
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

/** Publishes at QoS 1 until it is stopped, and records the acknowledged messages. */
function startLoad(port: number) {
  const acknowledged: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: 'load', reconnectPeriod: 50 });
  client.on('error', () => {});
  let going = true;
  let number = 0;
  const say = (): void => {
    const body = String(number++);
    const topic = number % 2 === 0 ? 'kept/load' : 'up/load';
    client.publish(topic, body, { qos: 1 }, error => {
      if (!error) acknowledged.push(`${topic} ${body}`);
      if (going) setTimeout(say, 5);
    });
  };
  say();
  return {
    acknowledged,
    stop: async (): Promise<void> => {
      going = false;
      await client.endAsync(true);
    },
  };
}

/** Connects the persistent session `reader` and collects its messages. */
async function reader(
  port: number,
  filter: string,
): Promise<{ readonly heard: Set<string>; readonly close: () => Promise<void> }> {
  const heard = new Set<string>();
  const options = { clientId: 'reader', clean: false, reconnectPeriod: 50 };
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, options);
  client.on('error', () => {});
  client.on('message', (topic, body) => heard.add(`${topic} ${body}`));
  await new Promise(done => client.once('connect', done));
  await client.subscribeAsync(filter, { qos: 1 });
  return { heard, close: () => client.endAsync() };
}

/** Queues messages for an offline session and for an unreachable parent. */
async function queue(ports: Ports): Promise<string[]> {
  const session = await enter(`mqtt://127.0.0.1:${ports.stays}`, { clientId: 'reader', clean: false });
  await session.subscribeAsync('kept/#', { qos: 1 });
  await session.endAsync();
  const client = await enter(`mqtt://127.0.0.1:${ports.stays}`, { clientId: 'before' });
  const acknowledged: string[] = [];
  for (let number = 0; number < 20; number += 1) {
    for (const topic of ['kept/before', 'up/before']) {
      await client.publishAsync(topic, String(number), { qos: 1 });
      acknowledged.push(`${topic} ${number}`);
    }
  }
  await client.endAsync();
  return acknowledged;
}

/** Returns the acknowledged messages that reach neither the session nor the parent. */
async function lostOf(
  ports: Ports,
  acknowledged: readonly string[],
  above: ReadonlySet<string>,
): Promise<string[]> {
  const here = await reader(ports.stays, 'kept/#');
  const missing = (): string[] =>
    acknowledged.filter(
      one => !here.heard.has(one) && !above.has(`edge/${one}`) && !above.has(`shore/${one}`),
    );
  try {
    await until('all that was promised has come', () => missing().length === 0, QUIET_SECONDS).catch(
      () => {},
    );
    return missing();
  } finally {
    await here.close();
  }
}

/** Last port in use. The ports are below the ephemeral range, so no client gets them while a hub is down. */
let lastPort = 20_000 + (process.pid % 60) * 200;
function ownPort(): number {
  lastPort += 1;
  return lastPort;
}

/** Returns the deviations from a manifest. */
async function faultsOf(device: TestDevice, which: Version, ports: Ports): Promise<string[]> {
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
 * Applies a change, kills the hub at a moment, and starts another hub that completes the change or rolls it
 * back.
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
      TIMEOUT_SECONDS,
    );
    const before = await queue(ports);
    const load = startLoad(stays);
    // Without the file the new module never becomes ready, so the deployment is rolled back.
    const ready = way === 'back' ? 'never' : 'later';
    await device.apply(setOf('new', ports, ready), '--no-wait');
    await until(`it is at ${what}`, () => logged.test(device.hub().log()), TIMEOUT_SECONDS);
    await device.hub().end('SIGKILL');
    // The parent starts before the hub, whose reconnect delay would be longer otherwise.
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
      setTimeout(fail, TIMEOUT_SECONDS * 1000, new Error('It came to no end.')).unref(),
    );
    await Promise.race([watched(), late]);
    await load.stop();
    const name = (await device.status()).name === 'edge' ? 'old' : 'new';
    await until(
      'all of it runs',
      () => device.commands().length === COMMANDS[name].length,
      TIMEOUT_SECONDS,
    ).catch(() => {});
    const faults = await faultsOf(device, name, ports);
    if (way === 'back' && name === 'new') faults.push('what never was healthy runs');
    const lost = await lostOf(ports, [...before, ...load.acknowledged], heard);
    await close();
    return { moment: what, result: faults.length > 0 ? 'mixed' : name, lost, faults };
  } finally {
    await above?.end('SIGTERM');
    await device.close();
  }
}

/** Kills hubs at all moments, several at the same time on separate devices. */
export async function killAtAll(all: readonly Moment[], way: 'forward' | 'back'): Promise<Aftermath[]> {
  const left = [...all];
  const aftermaths: Aftermath[] = [];
  const work = async (): Promise<void> => {
    for (let moment = left.shift(); moment !== undefined; moment = left.shift())
      aftermaths.push(await killAt(moment, way));
  };
  await Promise.all(Array.from({ length: CONCURRENT_KILLS }, work));
  return aftermaths;
}
