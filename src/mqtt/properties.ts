import { MAX_USER_PROPERTIES } from '../core/limits.ts';
import type { Properties } from '../core/message.ts';
import { NO_PROPERTIES } from '../core/message.ts';
import type { PacketReader } from './reader.ts';
import {
  createPacketReader,
  readBinary,
  readByte,
  readText,
  readUint16,
  readUint32,
  readVariable,
  setError,
} from './reader.ts';
import { REASON } from './reasons.ts';

/** Packets that have properties. A will is a part of CONNECT and has its own properties. */
export type Owner =
  | 'connect'
  | 'connack'
  | 'publish'
  | 'will'
  | 'acknowledgement'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

type Form = 'byte' | 'flag' | 'two' | 'four' | 'variable' | 'text' | 'binary' | 'pair';

type Property = { readonly name: PropertyName; readonly form: Form; readonly owners: readonly Owner[] };

export type PropertyName =
  | 'payloadFormat'
  | 'messageExpiry'
  | 'contentType'
  | 'responseTopic'
  | 'correlation'
  | 'subscriptionId'
  | 'sessionExpiry'
  | 'assignedClientIdentifier'
  | 'serverKeepAlive'
  | 'authenticationMethod'
  | 'authenticationData'
  | 'requestProblemInformation'
  | 'willDelay'
  | 'requestResponseInformation'
  | 'responseInformation'
  | 'serverReference'
  | 'reasonString'
  | 'receiveMaximum'
  | 'topicAliasMaximum'
  | 'topicAlias'
  | 'maximumQoS'
  | 'retainAvailable'
  | 'userProperty'
  | 'maximumPacketSize'
  | 'wildcardSubscriptionAvailable'
  | 'subscriptionIdentifiersAvailable'
  | 'sharedSubscriptionAvailable';

const MESSAGE: readonly Owner[] = ['publish', 'will'];
const EVERY: readonly Owner[] = [
  'connect',
  'connack',
  'publish',
  'will',
  'acknowledgement',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'disconnect',
  'auth',
];
const ANSWERS: readonly Owner[] = ['connack', 'acknowledgement', 'suback', 'unsuback', 'disconnect', 'auth'];

/** Properties of MQTT 5 (2.2.2.2) by identifier. */
const PROPERTIES: ReadonlyMap<number, Property> = new Map<number, Property>([
  [0x01, { name: 'payloadFormat', form: 'flag', owners: MESSAGE }],
  [0x02, { name: 'messageExpiry', form: 'four', owners: MESSAGE }],
  [0x03, { name: 'contentType', form: 'text', owners: MESSAGE }],
  [0x08, { name: 'responseTopic', form: 'text', owners: MESSAGE }],
  [0x09, { name: 'correlation', form: 'binary', owners: MESSAGE }],
  [0x0b, { name: 'subscriptionId', form: 'variable', owners: ['publish', 'subscribe'] }],
  [0x11, { name: 'sessionExpiry', form: 'four', owners: ['connect', 'connack', 'disconnect'] }],
  [0x12, { name: 'assignedClientIdentifier', form: 'text', owners: ['connack'] }],
  [0x13, { name: 'serverKeepAlive', form: 'two', owners: ['connack'] }],
  [0x15, { name: 'authenticationMethod', form: 'text', owners: ['connect', 'connack', 'auth'] }],
  [0x16, { name: 'authenticationData', form: 'binary', owners: ['connect', 'connack', 'auth'] }],
  [0x17, { name: 'requestProblemInformation', form: 'flag', owners: ['connect'] }],
  [0x18, { name: 'willDelay', form: 'four', owners: ['will'] }],
  [0x19, { name: 'requestResponseInformation', form: 'flag', owners: ['connect'] }],
  [0x1a, { name: 'responseInformation', form: 'text', owners: ['connack'] }],
  [0x1c, { name: 'serverReference', form: 'text', owners: ['connack', 'disconnect'] }],
  [0x1f, { name: 'reasonString', form: 'text', owners: ANSWERS }],
  [0x21, { name: 'receiveMaximum', form: 'two', owners: ['connect', 'connack'] }],
  [0x22, { name: 'topicAliasMaximum', form: 'two', owners: ['connect', 'connack'] }],
  [0x23, { name: 'topicAlias', form: 'two', owners: ['publish'] }],
  [0x24, { name: 'maximumQoS', form: 'flag', owners: ['connack'] }],
  [0x25, { name: 'retainAvailable', form: 'flag', owners: ['connack'] }],
  [0x26, { name: 'userProperty', form: 'pair', owners: EVERY }],
  [0x27, { name: 'maximumPacketSize', form: 'four', owners: ['connect', 'connack'] }],
  [0x28, { name: 'wildcardSubscriptionAvailable', form: 'flag', owners: ['connack'] }],
  [0x29, { name: 'subscriptionIdentifiersAvailable', form: 'flag', owners: ['connack'] }],
  [0x2a, { name: 'sharedSubscriptionAvailable', form: 'flag', owners: ['connack'] }],
]);

/** Properties whose value must not be 0 (3.1.2.11, 3.8.2.1.2). */
const NOT_ZERO: readonly PropertyName[] = ['receiveMaximum', 'maximumPacketSize', 'subscriptionId'];

/** Properties of one packet. An absent property has no value; no default is applied. */
export type PropertyValues = {
  readonly numbers: Partial<Record<PropertyName, number>>;
  readonly texts: Partial<Record<PropertyName, string>>;
  readonly binaries: Partial<Record<PropertyName, Buffer>>;
  /** User properties, as a list that alternates names and values. */
  readonly user: Properties;
  readonly subscriptionIds: readonly number[];
};

export const NO_VALUES: PropertyValues = {
  numbers: {},
  texts: {},
  binaries: {},
  user: NO_PROPERTIES,
  subscriptionIds: [],
};

/**
 * Reads the length and the properties of a packet. Records errors, such as a property that the packet must
 * not have, in `reader.error`.
 */
export function readProperties(reader: PacketReader, owner: Owner): PropertyValues {
  const length = readVariable(reader);
  if (length === 0 || reader.error !== undefined) return NO_VALUES;
  const end = reader.at + length;
  if (end > reader.end) {
    setError(reader, REASON.malformedPacket, 'the properties are longer than the packet');
    return NO_VALUES;
  }
  const inner = createPacketReader(reader.bytes, reader.at, end, reader.strictness);
  const values = collect(inner, owner);
  reader.at = end;
  reader.error ??= inner.error;
  return values;
}

function collect(reader: PacketReader, owner: Owner): PropertyValues {
  const numbers: Partial<Record<PropertyName, number>> = {};
  const texts: Partial<Record<PropertyName, string>> = {};
  const binaries: Partial<Record<PropertyName, Buffer>> = {};
  const user: string[] = [];
  const subscriptionIds: number[] = [];
  const seen = new Set<PropertyName>();
  while (reader.at < reader.end && reader.error === undefined) {
    const property = PROPERTIES.get(readVariable(reader));
    if (property === undefined || !property.owners.includes(owner)) {
      setError(reader, REASON.malformedPacket, 'it has a property that is not allowed in this packet');
      break;
    }
    const { name, form } = property;
    const mayRepeat = form === 'pair' || (name === 'subscriptionId' && owner === 'publish');
    if (seen.has(name) && !mayRepeat)
      setError(reader, REASON.protocolError, `a packet has the property ${name} twice`);
    seen.add(name);
    if (form === 'pair' && user.length >= 2 * MAX_USER_PROPERTIES && reader.strictness === 'strict')
      setError(reader, REASON.quotaExceeded, `a packet has more than ${MAX_USER_PROPERTIES} user properties`);
    if (form === 'pair') user.push(readText(reader), readText(reader));
    else if (form === 'text') texts[name] = readText(reader);
    else if (form === 'binary') binaries[name] = readBinary(reader);
    else {
      const value = readNumber(reader, form);
      if (value === 0 && NOT_ZERO.includes(name))
        setError(reader, REASON.protocolError, `a packet has the property ${name} with the value 0`);
      if (name === 'subscriptionId') subscriptionIds.push(value);
      else numbers[name] = value;
    }
  }
  return { numbers, texts, binaries, user: user.length === 0 ? NO_PROPERTIES : user, subscriptionIds };
}

function readNumber(reader: PacketReader, form: 'byte' | 'flag' | 'two' | 'four' | 'variable'): number {
  switch (form) {
    case 'byte':
      return readByte(reader);
    case 'flag': {
      const value = readByte(reader);
      if (value > 1) setError(reader, REASON.protocolError, 'the value of a property is neither 0 nor 1');
      return value;
    }
    case 'two':
      return readUint16(reader);
    case 'four':
      return readUint32(reader);
    case 'variable':
      return readVariable(reader);
  }
}
