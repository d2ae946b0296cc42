import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MachineTime } from '../../../src/hub/downtime.ts';
import { CLOCK_CHECK_MS } from '../../../src/hub/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { publishOf } from '../../harness/clients/mqtt5.ts';
import { createTestClock } from '../../harness/clock.ts';

const downtime = suite('broker: expiry during downtime');

const DAY = 86_400_000;
const YEAR = 365 * DAY;
const FOUR_MINUTES = 240_000;

/** Creates a machine whose clocks a test sets. */
function createMachine() {
  const clock = createTestClock();
  const state = {
    boot: 'one',
    bootedAt: 0,
    off: 0,
    /** Milliseconds by which the wall clock is ahead. */
    wrong: 0,
    /** Milliseconds by which the hardware clock is ahead. NaN without a hardware clock. */
    hardware: Number.NaN,
    synchronised: Number.NaN,
  };
  const wall = (): number => clock.wall() + state.off + state.wrong;
  const given = (value: number): number | undefined => (Number.isNaN(value) ? undefined : value);
  return {
    clock,
    state,
    wall,
    time: (): MachineTime => ({
      boot: state.boot,
      uptime: clock.monotonic() + state.off - state.bootedAt,
      wall: wall(),
      hardware: given(wall() + state.hardware),
      synchronised: given(state.synchronised),
    }),
    /** Turns the machine off for `milliseconds` and boots it again. */
    reboot: (milliseconds: number): void => {
      state.off += milliseconds;
      state.boot += '+';
      state.bootedAt = clock.monotonic() + state.off;
      state.synchronised = Number.NaN;
    },
    /** Sets the wall clock by the network. */
    synchronise: (): void => {
      state.wrong = 0;
      state.synchronised = wall();
    },
  };
}

type Machine = ReturnType<typeof createMachine>;

/**
 * Stores two messages for a session, of which one expires after a minute, and creates a session that expires
 * after two minutes.
 */
async function storeExpiring(broker: BrokerHarness, { clock }: Machine): Promise<void> {
  const reader = await broker.client(5);
  await reader.connect({ clientId: 'reader', clean: false, properties: { sessionExpiryInterval: 100_000 } });
  await clock.until(reader.subscribe('t', 1));
  await reader.leave();
  const short = await broker.client(5);
  await short.connect({ clientId: 'short', clean: false, properties: { sessionExpiryInterval: 120 } });
  await short.leave();
  const sender = await broker.client(5);
  await sender.connect({ clientId: 'sender' });
  for (const minutes of [1, 100])
    sender.send(publishOf('t', `${minutes}`, 1, { messageExpiryInterval: 60 * minutes }));
  await sender.roundTrip();
}

/**
 * Resolves to the messages for the reader with their remaining minutes, and `session` if the short one
 * exists.
 */
async function remaining(broker: BrokerHarness): Promise<string[]> {
  const reader = await broker.client(5);
  await reader.connect({ clientId: 'reader', clean: false, properties: { sessionExpiryInterval: 100_000 } });
  const received: string[] = [];
  reader.send({ cmd: 'pingreq' });
  for (let packet = await reader.next(); brief(packet) !== 'pingresp'; packet = await reader.next()) {
    if (packet === 'closed' || packet.cmd !== 'publish') throw new Error(brief(packet));
    received.push(
      `${packet.payload} left ${Math.ceil((packet.properties?.messageExpiryInterval ?? 0) / 60)}`,
    );
  }
  const short = await broker.client(5);
  const connack = await short.connect({ clientId: 'short', clean: false });
  if (brief(connack).endsWith('present')) received.push('session');
  return received;
}

const COUNTED = ['100 left 96'];
const NOT_COUNTED = ['1 left 1', '100 left 100', 'session'];

type Case = {
  readonly what: string;
  readonly before?: (machine: Machine) => void;
  readonly meanwhile: (machine: Machine) => void;
  readonly left: readonly string[];
};

const byNetwork = (machine: Machine): void => machine.synchronise();
const withHardware =
  (ahead = 0) =>
  ({ state }: Machine): void => {
    state.hardware = ahead;
  };

const CASES: readonly Case[] = [
  {
    what: 'within one boot, also if the wall clock jumps',
    meanwhile: ({ state }) => {
      state.off += FOUR_MINUTES;
      state.wrong = 10 * YEAR;
    },
    left: COUNTED,
  },
  {
    what: 'over a reboot with a clock that the network sets',
    before: byNetwork,
    meanwhile: machine => {
      machine.reboot(FOUR_MINUTES);
      machine.synchronise();
    },
    left: COUNTED,
  },
  {
    what: 'over a reboot with a hardware clock',
    before: withHardware(),
    meanwhile: machine => machine.reboot(FOUR_MINUTES),
    left: COUNTED,
  },
  {
    what: 'over a reboot without a reliable clock before it',
    meanwhile: machine => {
      machine.reboot(FOUR_MINUTES);
      machine.synchronise();
    },
    left: NOT_COUNTED,
  },
  {
    what: 'over a reboot without a reliable clock after it',
    before: byNetwork,
    meanwhile: machine => machine.reboot(FOUR_MINUTES),
    left: NOT_COUNTED,
  },
  {
    what: 'over a reboot with a hardware clock that differs from the wall clock',
    before: withHardware(DAY),
    meanwhile: machine => machine.reboot(FOUR_MINUTES),
    left: NOT_COUNTED,
  },
  {
    what: 'over a reboot with a hardware clock that jumps by years',
    before: withHardware(),
    meanwhile: machine => {
      machine.reboot(FOUR_MINUTES);
      machine.state.wrong = 5 * YEAR;
    },
    left: NOT_COUNTED,
  },
  {
    what: 'over a reboot with a clock that is years behind after it',
    before: byNetwork,
    meanwhile: machine => {
      machine.reboot(FOUR_MINUTES);
      machine.state.wrong = -5 * YEAR;
      machine.state.synchronised = machine.wall();
    },
    left: NOT_COUNTED,
  },
  {
    what: 'if it lasts for years',
    before: byNetwork,
    meanwhile: machine => {
      machine.reboot(5 * YEAR);
      machine.synchronise();
    },
    left: NOT_COUNTED,
  },
];

for (const { what, before = () => {}, meanwhile, left } of CASES) {
  downtime(
    `downtime of the hub ${left === COUNTED ? 'counts' : 'does not count'} towards expiry ${what}`,
    () => {
      const machine = createMachine();
      before(machine);
      return withBroker(
        async broker => {
          await storeExpiring(broker, machine);
          await broker.restart(() => meanwhile(machine));
          assert.equal(await remaining(broker), left);
        },
        { clock: machine.clock, machineTime: machine.time },
      );
    },
  );
}

downtime('downtime of the hub during a reboot counts towards expiry once NTP has set the clock', () => {
  const machine = createMachine();
  machine.synchronise();
  return withBroker(
    async broker => {
      await storeExpiring(broker, machine);
      await broker.restart(() => {
        machine.reboot(FOUR_MINUTES);
        machine.state.wrong = -YEAR;
      });
      machine.synchronise();
      machine.clock.advance(CLOCK_CHECK_MS);
      assert.equal(await remaining(broker), ['100 left 95']);
    },
    { clock: machine.clock, machineTime: machine.time },
  );
});

downtime(
  'downtime of the hub does not count towards expiry if the wall clock has jumped and is not synchronised',
  () => {
    const machine = createMachine();
    machine.synchronise();
    return withBroker(
      async broker => {
        machine.clock.advance(10 * CLOCK_CHECK_MS);
        machine.state.wrong = -20 * DAY;
        machine.clock.advance(CLOCK_CHECK_MS);
        await storeExpiring(broker, machine);
        await broker.restart(() => {
          machine.reboot(FOUR_MINUTES);
          machine.synchronise();
        });
        assert.equal(await remaining(broker), NOT_COUNTED);
      },
      { clock: machine.clock, machineTime: machine.time },
    );
  },
);

downtime.run();
