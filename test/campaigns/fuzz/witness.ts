import mqtt from 'mqtt';

/** Messages of each quality of service on their way at once. */
const WINDOW = 4;

/** Counts of an honest client's own messages. */
export type Testimony = { readonly published: number; readonly faults: readonly string[] };

export type Witness = { readonly stop: () => Promise<Testimony> };

/** A client that publishes to itself at QoS 1 and 2 all the time, and must get all of it in order. */
export async function startWitness(port: number, topic: string): Promise<Witness> {
  const faults: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: topic,
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  client.on('close', () => faults.push('the honest connection was closed'));
  const flows = ([1, 2] as const).map(qos => startFlow(client, `${topic}/${qos}`, qos, faults));
  await client.subscribeAsync(`${topic}/+`, { qos: 2 });
  for (const { fill } of flows) fill();
  return {
    stop: async () => {
      for (const { stop } of flows) await stop();
      const heard = [...faults];
      await client.endAsync();
      return { published: flows.reduce((all, { published }) => all + published(), 0), faults: heard };
    },
  };
}

function startFlow(client: mqtt.MqttClient, topic: string, qos: 1 | 2, faults: string[]) {
  let published = 0;
  let arrived = 0;
  let open = 0;
  let stopped = false;
  let settle: (() => void) | undefined;

  /** Each waits for its acknowledgement, and for its own return. */
  const step = (): void => {
    open--;
    if (stopped && open === 0) settle?.();
    fill();
  };

  const fill = (): void => {
    while (!stopped && open < 2 * WINDOW - 1) {
      open += 2;
      client.publish(topic, String(++published), { qos }, error => {
        if (error) faults.push(`QoS ${qos}: ${error.message}`);
        step();
      });
    }
  };

  client.on('message', (at, body) => {
    if (at !== topic) return;
    if (Number(body.toString()) !== ++arrived) faults.push(`QoS ${qos}: ${body} came as number ${arrived}`);
    step();
  });

  return {
    fill,
    published: () => published,
    stop: async (): Promise<void> => {
      stopped = true;
      const done = new Promise<void>(resolve => {
        settle = resolve;
      });
      const timer = setTimeout(() => {
        faults.push(`QoS ${qos}: ${published} published, ${arrived} arrived`);
        settle?.();
      }, 20_000);
      if (open === 0) settle?.();
      await done;
      clearTimeout(timer);
    },
  };
}
