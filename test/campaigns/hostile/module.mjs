/* A module with io "lines" whose output is hostile. Its one argument is a seed. */
let state = Number(process.argv[2] ?? 1);
const below = bound => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % bound;
};

const LINES = [
  () => `{"output":"o","body":${'['.repeat(4_500)}${']'.repeat(4_500)}}`,
  () => `{"output":"o","body":1,"properties":{"k":"${'x'.repeat(65_536)}"}}`,
  () => `{"output":"o","body":"${'y'.repeat(300_000)}"}`,
  () => `{"output":"\u0000\u0001","body":1}`,
  () => '{"output":"o","body":1724442618569203714}',
  () => '{"ack":1}',
  () => '{"output":',
  () => Buffer.from([0xff, 0xfe, 0, 1, 2, 0x1b, 0x5b]).toString('latin1'),
  () => 'z'.repeat(2_000_000),
  () => '{"reported":{"a":1}}',
];

const write = () => {
  if (below(400) === 0) process.exit(below(3));
  if (below(50) === 0) process.stderr.write(`${'e'.repeat(100_000)}\u001b[2J\n`);
  const more = process.stdout.write(`${LINES[below(LINES.length)]()}\n`);
  if (more) setTimeout(write, 10);
  else process.stdout.once('drain', write);
};
process.on('SIGTERM', () => {});
process.stdin.resume();
write();
