/** Addresses and ports of an established TCP connection. The hub's end is `local`, its peer is `remote`. */
export type TcpEnds = {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
};

/**
 * Owner of a socket: the uid of the user that opened the socket, and the inode of the socket. The inode is 0
 * if no process has the socket open.
 */
export type SocketOwner = { readonly uid: number; readonly inode: number };

/**
 * Kernel tables of TCP sockets (proc_net_tcp). The second table contains all IPv6 sockets, including sockets
 * with IPv4-mapped addresses.
 */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'] as const;

/** Number of bytes in one read of a table. */
const CHUNK_BYTES = 1 << 16;

/** First twelve bytes of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/**
 * Finds the owner of the socket at the remote end of each connection. The remote ends are on this machine.
 * Returns the owners in the order of `connections`. An owner is undefined if the connection is in no table.
 * Reads each table at most once.
 */
export async function findOwners(
  connections: readonly TcpEnds[],
): Promise<readonly (SocketOwner | undefined)[]> {
  const indexByKey = new Map<string, number>();
  for (const [index, ends] of connections.entries())
    for (const key of keysOf(ends)) indexByKey.set(key, index);
  const found: (SocketOwner | undefined)[] = connections.map(() => undefined);
  let missing = connections.length;
  for (const table of TABLES) {
    if (missing === 0) break;
    await readRows(table, row => {
      const start = row.indexOf(':') + 2;
      const index = indexByKey.get(row.slice(start, row.indexOf(' ', row.indexOf(' ', start) + 1)));
      if (index === undefined) return missing > 0;
      if (found[index] === undefined) missing -= 1;
      found[index] = ownerIn(row.slice(start));
      return missing > 0;
    });
  }
  return found;
}

/**
 * Returns the owner in a row of the table. The fields of a row are `local remote state queues timer
 * retransmits uid timeout inode`.
 */
function ownerIn(row: string): SocketOwner {
  const fields = row.trim().split(/ +/);
  return { uid: Number(fields[6]), inode: Number(fields[8]) };
}

/** Calls `visit` with each row until `visit` returns false. Reads no rows if the table does not exist. */
async function readRows(table: string, visit: (row: string) => boolean): Promise<void> {
  const { open } = await import('node:fs/promises');
  const file = await open(table, 'r').catch(() => undefined);
  if (file === undefined) return;
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let partialRow = '';
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      const rows = (partialRow + chunk.toString('latin1', 0, bytesRead)).split('\n');
      partialRow = rows.pop() ?? '';
      for (const row of rows) if (!visit(row)) return;
    }
  } finally {
    await file.close();
  }
}

/**
 * Returns the keys by which the tables are searched for the socket at the remote end of a connection. An IPv4
 * connection has two keys: one with IPv4 addresses, and one with IPv4-mapped IPv6 addresses.
 */
function keysOf({ localAddress, localPort, remoteAddress, remotePort }: TcpEnds): string[] {
  const ends = [bytesOf(remoteAddress), bytesOf(localAddress)] as const;
  const keyOf = ([own, other]: readonly [readonly number[], readonly number[]]): string =>
    `${hexWords(own)}:${portText(remotePort)} ${hexWords(other)}:${portText(localPort)}`;
  if (ends.some(bytes => bytes.length > 4)) return [keyOf(ends)];
  return [
    keyOf(ends),
    keyOf([
      [...MAPPED, ...ends[0]],
      [...MAPPED, ...ends[1]],
    ]),
  ];
}

function portText(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/**
 * Formats an address in the notation of the kernel tables: 32-bit words in host byte order (little-endian),
 * in hexadecimal.
 */
function hexWords(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4)
    for (const byte of bytes.slice(at, at + 4).reverse()) text += byte.toString(16).padStart(2, '0');
  return text.toUpperCase();
}

/**
 * Parses an address in Node's notation. Returns 4 bytes for IPv4 and IPv4-mapped IPv6, otherwise 16 bytes.
 */
export function bytesOf(address: string): number[] {
  const [plain = ''] = address.replace(/^::ffff:(?=[\d.]+$)/i, '').split('%');
  if (!plain.includes(':')) return plain.split('.').map(Number);
  const [before = '', after] = plain.split('::');
  const head = groupsOf(before);
  const tail = groupsOf(after ?? '');
  const zeros = after === undefined ? 0 : 16 - head.length - tail.length;
  return [...head, ...new Array<number>(Math.max(0, zeros)).fill(0), ...tail];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap(group => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
