import type { QoS } from '../../core/message.ts';
import type { PropertyValues } from '../properties.ts';
import { NO_VALUES, readProperties } from '../properties.ts';
import type { PublishProperties } from '../read-publish.ts';
import { publishProperties, qosOf } from '../read-publish.ts';
import type { PacketReader } from '../reader.ts';
import { readBinary, readByte, readText, readUint16, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import type { Version } from '../version.ts';

/** CONNECT packet (MQTT 5, 3.1). */
export type Connect = {
  readonly cmd: 'connect';
  readonly version: Version;
  /**
   * True if the client is a bridge of another broker. mosquitto sets the highest bit of the protocol level
   * for bridges.
   */
  readonly bridge: boolean;
  readonly clientId: string;
  readonly clean: boolean;
  /** Keep-alive in seconds. 0 means no keep-alive. */
  readonly keepAlive: number;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: ConnectWill | undefined;
  /** Session expiry interval in seconds. With 0xffffffff the session never expires. */
  readonly sessionExpiry: number;
  readonly receiveMaximum: number;
  /** Maximum bytes of a packet to the client. Undefined if the client sets no limit. */
  readonly maximumPacketSize: number | undefined;
  readonly topicAliasMaximum: number;
  readonly requestProblemInformation: boolean;
  readonly requestResponseInformation: boolean;
  readonly authenticationMethod: string | undefined;
};

export type ConnectWill = {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Will delay interval in seconds. */
  readonly delay: number;
  readonly properties: PublishProperties | undefined;
};

/** Flags of CONNECT (3.1.2.3). */
const RESERVED = 0x01;
const CLEAN = 0x02;
const WILL = 0x04;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;

/** Bit of the protocol level that a bridge sets. */
const BRIDGE = 0x80;

/** Valid protocol levels by protocol name. */
const NAMES: Readonly<Record<string, readonly number[]>> = { MQTT: [4, 5], MQIsdp: [3] };

/** Parses the bytes of CONNECT after the fixed header. Records errors in `reader.error`. */
export function readConnect(reader: PacketReader): Connect {
  const { version, bridge } = readLevel(reader);
  const flags = readByte(reader);
  if ((flags & RESERVED) !== 0) setError(reader, REASON.malformedPacket, 'CONNECT has a reserved flag set'); // [MQTT-3.1.2-3]
  const keepAlive = readUint16(reader);
  const values = version === 5 ? readProperties(reader, 'connect') : NO_VALUES;
  const { numbers, texts } = values;
  if (values.binaries.authenticationData !== undefined && texts.authenticationMethod === undefined)
    setError(reader, REASON.protocolError, 'CONNECT has authentication data without a method');
  // A forbidden character in the client identifier is refused later with the return code "identifier
  // rejected".
  const clientId = readText(reader, 'lenient');
  const will = readWill(reader, flags, version);
  const username = (flags & USERNAME) === 0 ? undefined : readText(reader);
  const password = (flags & PASSWORD) === 0 ? undefined : readBinary(reader);
  // In MQTT 3.1.1 a password requires a user name [MQTT-3.1.2-22]. MQTT 5 does not have this rule.
  if (version < 5 && password !== undefined && username === undefined)
    setError(reader, REASON.malformedPacket, 'CONNECT has a password without a user name');
  return {
    cmd: 'connect',
    version,
    bridge,
    clientId,
    clean: (flags & CLEAN) !== 0,
    keepAlive,
    username,
    password,
    will,
    ...limitsOf(values),
    requestProblemInformation: numbers.requestProblemInformation !== 0,
    requestResponseInformation: numbers.requestResponseInformation === 1,
    authenticationMethod: texts.authenticationMethod,
  };
}

function limitsOf({ numbers }: PropertyValues) {
  return {
    sessionExpiry: numbers.sessionExpiry ?? 0,
    receiveMaximum: numbers.receiveMaximum ?? 0xffff,
    maximumPacketSize: numbers.maximumPacketSize,
    topicAliasMaximum: numbers.topicAliasMaximum ?? 0,
  };
}

/** Reads protocol name and level [MQTT-3.1.2-1], [MQTT-3.1.2-2]. */
function readLevel(reader: PacketReader): Pick<Connect, 'version' | 'bridge'> {
  const name = readText(reader);
  const byte = readByte(reader);
  const level = byte & ~BRIDGE;
  const levels = NAMES[name];
  if (levels === undefined) setError(reader, REASON.protocolError, 'its CONNECT has no valid protocol name');
  else if (!levels.includes(level))
    setError(reader, REASON.unsupportedProtocolVersion, `its CONNECT has the unknown protocol level ${byte}`);
  return { version: level === 5 || level === 3 ? level : 4, bridge: byte !== level };
}

function readWill(reader: PacketReader, flags: number, version: Version): ConnectWill | undefined {
  const qos = qosOf((flags >> 3) & 3);
  const retain = (flags & WILL_RETAIN) !== 0;
  if (qos === undefined) setError(reader, REASON.malformedPacket, 'its will has an invalid QoS'); // [MQTT-3.1.2-12]
  if ((flags & WILL) === 0) {
    // Without a will, the QoS and RETAIN flags of the will must be 0 [MQTT-3.1.2-11], [MQTT-3.1.2-13].
    if (qos !== 0 || retain)
      setError(reader, REASON.malformedPacket, 'its CONNECT has flags of a will, but no will');
    return undefined;
  }
  const values = version === 5 ? readProperties(reader, 'will') : NO_VALUES;
  const properties = version === 5 ? publishProperties(values) : undefined;
  if (/[+#]/.test(properties?.responseTopic ?? ''))
    setError(reader, REASON.protocolError, 'the response topic of the will has wildcards');
  const topic = readText(reader);
  const payload = readBinary(reader);
  return {
    topic,
    // Copies the payload, because the will is in use longer than the input buffer.
    payload: Buffer.from(payload),
    qos: qos ?? 0,
    retain,
    delay: values.numbers.willDelay ?? 0,
    properties,
  };
}
