import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';

/*
 * A module that makes each connection attempt of ATTEMPTS and logs one result per line: `<label>: closed`,
 * `<label>: refused <return code>` or `<label>: # <code>, inputs <code>`. Then it logs `done` and waits.
 */
const attempts = JSON.parse(process.env.ATTEMPTS ?? '[]');
const own = { username: process.env.SKERRY_MODULE, password: process.env.SKERRY_TOKEN };

const text = value => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

function connectPacket({ username, password }) {
  const flags = 2 | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
  const head = Buffer.concat([text('MQTT'), Buffer.from([4, flags, 0, 60]), text('')]);
  const body = Buffer.concat([head, ...[username, password].filter(Boolean).map(text)]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

function subscribePacket(filters) {
  const body = Buffer.concat([Buffer.from([0, 1]), ...filters.flatMap(one => [text(one), Buffer.from([0])])]);
  return Buffer.concat([Buffer.from([0x82, body.length]), body]);
}

/**
 * Opens a connection. Calls `opened` with its send function, and `heard` with received bytes and, at the end,
 * with undefined.
 */
function open({ port, secure, web, unix: given, own: mine }, opened, heard) {
  const unix = mine === true ? process.env.SKERRY_MQTT_URL.replace(/^unix:/, '') : given;
  if (web !== undefined) {
    const socket = new WebSocket(`ws://127.0.0.1:${web}/mqtt`, 'mqtt');
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => opened(bytes => socket.send(bytes));
    socket.onmessage = ({ data }) => heard(Buffer.from(data));
    socket.onclose = () => heard(undefined);
    return;
  }
  const socket =
    secure === undefined
      ? connect(unix === undefined ? { port, host: '127.0.0.1' } : { path: unix })
      : connectSecurely({ port: secure, host: '127.0.0.1', rejectUnauthorized: false });
  socket.on(secure === undefined ? 'connect' : 'secureConnect', () => opened(bytes => socket.write(bytes)));
  socket.on('data', heard);
  socket.on('error', () => {});
  socket.on('close', () => heard(undefined));
}

function resultOf(attempt) {
  const filters = ['#', `modules/${own.username}/inputs/in`];
  return new Promise(resolve => {
    let send = () => {};
    let came = Buffer.alloc(0);
    open(
      attempt,
      write => {
        send = write;
        send(connectPacket(attempt.token === true ? own : attempt));
      },
      bytes => {
        if (bytes === undefined) return resolve('closed');
        const before = came.length;
        came = Buffer.concat([came, bytes]);
        if (before < 4 && came.length >= 4) {
          if (came[3] !== 0) return resolve(`refused ${came[3]}`);
          send(subscribePacket(filters));
        }
        if (came.length >= 10) resolve(`# ${came[8]}, inputs ${came[9]}`);
      },
    );
  });
}

for (const attempt of attempts) console.log(`${attempt.label}: ${await resultOf(attempt)}`);
console.log('done');
setInterval(() => {}, 1 << 30);
