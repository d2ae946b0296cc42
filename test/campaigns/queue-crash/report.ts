import { openSync, readFileSync, writeSync } from 'node:fs';

/*
 * Reports of the process under load, one per line. A line is written to the file before the load continues,
 * so it survives the process.
 *   found when the store was opened:
 *     entry QUEUE PRIORITY NUMBER    in the order in which a drain sends them
 *     letter QUEUE NUMBER            a dead letter
 *     state NAME VALUE               metadata value
 *     depth QUEUE COUNT              depth in the status of the store
 *     damaged WHERE WHAT...          a message that differs from the appended one, or an error in the log
 *     opened                         end of the content
 *   under load, each after the fact, but `leaving`, `firm`, `refused`, `purged`, `putting` before it
 *     promised NUMBER QUEUE:PRIORITY,...
 *     leaving QUEUE NUMBER           will be acknowledged or dropped; `left`: removed durably
 *     firm NUMBER NOTE QUEUE:PRIORITY,...
 *                                    will be stored together with the metadata value NOTE or not at all
 *     refused QUEUE NUMBER           will be a dead letter
 *     purged QUEUE NUMBER            the queue will be purged; its messages have numbers up to NUMBER
 *     putting NAME VALUE             metadata value; VALUE `none` deletes; `put`: stored durably
 *     checkpoints COUNT
 *   at the end:
 *     remaining COUNT WHAT...        data on disk after the store has been drained
 */
export type Word = (typeof WORDS)[number];
const WORDS = [
  'entry',
  'letter',
  'state',
  'depth',
  'damaged',
  'opened',
  'promised',
  'leaving',
  'left',
  'firm',
  'refused',
  'purged',
  'putting',
  'put',
  'checkpoints',
  'remaining',
] as const;

export type Report = (word: Word, ...details: readonly (string | number)[]) => void;

export type Line = { readonly word: Word; readonly details: readonly string[] };

/** Appends reports to `file`. */
export function reportInto(file: string): Report {
  const fd = openSync(file, 'a');
  return (word, ...details) => {
    writeSync(fd, `${[word, ...details].join(' ')}\n`);
  };
}

/** Returns the complete lines of a report. */
export function linesIn(file: string): Line[] {
  const lines = readFileSync(file, 'latin1').split('\n').slice(0, -1);
  return lines.map(lineFrom);
}

/** Parses a line of a report. */
export function lineFrom(text: string): Line {
  const [first, ...details] = text.split(' ');
  const word = WORDS.find(one => one === first);
  if (word === undefined) throw new Error(`"${text}" is no line of a report`);
  return { word, details };
}
