import mqtt from 'mqtt';

/** Maximum unacknowledged messages of each QoS. */
const WINDOW = 4;

/** Result of the honest client. */
export type HonestReport = { readonly published: number; readonly faults: readonly string[] };

export type HonestClient = { readonly stop: () => Promise<HonestReport> };

/** Starts a client that publishes to itself at QoS 1 and 2 and must receive all messages in order. */
export async function startHonestClient(port: number, topic: string): Promise<HonestClient> {
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

  /** Counts an acknowledgement or a received message. A message needs both. */
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
