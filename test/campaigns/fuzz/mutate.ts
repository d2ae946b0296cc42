import type { SeededRandom } from '../../harness/seeded-random.ts';

/** Boundary values of a byte. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xfe, 0xff] as const;

/** Maximum bytes that one mutation adds. */
const MAX_ADDED = 64;

/**
 * Changes the first `length` bytes of a buffer, which has space for MAX_ADDED more. Returns the new length.
 */
type Mutation = (dice: SeededRandom, bytes: Buffer, length: number) => number;

const flipBit: Mutation = (dice, bytes, length) => {
  const at = dice.below(length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
  return length;
};

const changeByte: Mutation = (dice, bytes, length) => {
  bytes[dice.below(length)] = dice.oneIn(2) ? dice.pick(EDGES) : dice.below(256);
  return length;
};

/** Changes two bytes that may be a string length to a similar or a random value. */
const changeLength: Mutation = (dice, bytes, length) => {
  if (length < 2) return length;
  const at = dice.below(length - 1);
  const was = bytes.readUInt16BE(at);
  bytes.writeUInt16BE((dice.oneIn(3) ? dice.below(0x1_0000) : was + dice.below(5) + 0xfffe) & 0xffff, at);
  return length;
};

const insertBytes: Mutation = (dice, bytes, length) => {
  const [at, count] = [dice.below(length + 1), 1 + dice.below(8)];
  bytes.copyWithin(at + count, at, length);
  for (let index = at; index < at + count; index++) bytes[index] = dice.below(256);
  return length + count;
};

const deleteBytes: Mutation = (dice, bytes, length) => {
  const at = dice.below(length);
  const count = Math.min(1 + dice.below(8), length - at);
  bytes.copyWithin(at, at + count, length);
  return length - count;
};

const repeatBytes: Mutation = (dice, bytes, length) => {
  const at = dice.below(length);
  const count = Math.min(1 + dice.below(MAX_ADDED), length - at);
  bytes.copyWithin(at + count, at, length);
  return length + count;
};

const truncate: Mutation = (dice, _, length) => dice.below(length);

const MUTATIONS = [
  flipBit,
  flipBit,
  changeByte,
  changeByte,
  changeLength,
  insertBytes,
  deleteBytes,
  repeatBytes,
  truncate,
] as const;

/** Mutations that mostly keep the structure of a packet, so that it is parsed completely and handled. */
const MILD = [flipBit, changeByte] as const;

/** Maximum bytes of a fixed header. */
const HEADER = 5;

/** Buffer in which packets are mutated and concatenated before they are sent. */
export type MutationBuffer = {
  /** Adds an unchanged packet. */
  readonly add: (packet: Buffer) => void;
  /** Adds a packet with one to four mutations, or one near its end if `mild`, and a correct length. */
  readonly addMutated: (packet: Buffer, mild: boolean) => void;
  /** Adds a packet with mutations anywhere, also in its header. */
  readonly addBroken: (packet: Buffer) => void;
  /** Returns the bytes added since the last call. */
  readonly take: () => Buffer;
};

export function createMutationBuffer(dice: SeededRandom): MutationBuffer {
  const body = Buffer.alloc(1 << 18);
  let burst = Buffer.alloc(1 << 18);
  let end = 0;

  const reserve = (size: number): void => {
    if (end + size <= burst.length) return;
    burst = Buffer.concat([burst], 2 * (burst.length + size));
  };

  const append = (bytes: Buffer, start: number, stop: number): void => {
    reserve(stop - start);
    bytes.copy(burst, end, start, stop);
    end += stop - start;
  };

  const mutate = (length: number, times: number): number => {
    let now = length;
    for (let time = 0; time < times && now > 0; time++) now = dice.pick(MUTATIONS)(dice, body, now);
    return now;
  };

  const addWithLength = (first: number, length: number): void => {
    reserve(HEADER);
    burst[end++] = first;
    let left = length;
    do {
      burst[end++] = (left & 0x7f) | (left > 0x7f ? 0x80 : 0);
      left >>>= 7;
    } while (left > 0);
    append(body, 0, length);
  };

  return {
    add: packet => append(packet, 0, packet.length),
    addMutated: (packet, mild) => {
      const bodyAt = bodyOf(packet);
      const first = packet[0] ?? 0;
      const length = packet.copy(body, 0, bodyAt);
      if (!mild) addWithLength(first, mutate(length, 1 + dice.below(4)));
      else {
        const start = length >> 1;
        if (length > 0) dice.pick(MILD)(dice, body.subarray(start, length), length - start);
        addWithLength(first, length);
      }
    },
    addBroken: packet => append(body, 0, mutate(packet.copy(body), 1 + dice.below(4))),
    take: () => {
      const taken = Buffer.from(burst.subarray(0, end));
      end = 0;
      return taken;
    },
  };
}

function bodyOf(packet: Buffer): number {
  let at = 1;
  while ((packet[at] ?? 0) >= 0x80) at++;
  return at + 1;
}
