import mqtt from 'mqtt';

/** Milliseconds between two messages of the honest client. */
const INTERVAL = 50;

/** Result of the honest client. */
export type HonestReport = {
  readonly published: number;
  /** Maximum milliseconds from a publish to the delivery of the message. */
  readonly longestMs: number;
  /** Faults, one sentence each. */
  readonly faults: readonly string[];
};

/** Starts a client that publishes to itself at QoS 1 and expects all messages in order. */
export async function startHonestClient(
  port: number,
): Promise<{ readonly stop: () => Promise<HonestReport> }> {
  const faults: string[] = [];
  const sent = new Map<number, number>();
  let published = 0;
  let arrived = 0;
  let longestMs = 0;
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: 'honest',
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  client.on('close', () => faults.push('the honest connection was closed'));
  client.on('message', (_topic, body) => {
    const number = Number(body.toString());
    if (number !== ++arrived) faults.push(`message ${number} came as number ${arrived}`);
    longestMs = Math.max(longestMs, performance.now() - (sent.get(number) ?? 0));
    sent.delete(number);
  });
  await client.subscribeAsync('honest/own', { qos: 1 });
  const timer = setInterval(() => {
    sent.set(++published, performance.now());
    client.publish('honest/own', String(published), { qos: 1 }, error => {
      if (error) faults.push(`message ${published}: ${error.message}`);
    });
  }, INTERVAL);
  return {
    stop: async () => {
      clearInterval(timer);
      for (const end = performance.now() + 20_000; sent.size > 0 && performance.now() < end; )
        await new Promise(done => setTimeout(done, 20));
      if (sent.size > 0) faults.push(`${sent.size} of ${published} messages did not come back`);
      const found = [...faults];
      await client.endAsync(true);
      return { published, longestMs, faults: found };
    },
  };
}
