/** Parses the numbers that occur in the tests like Azure IoT Edge. */
export function azureNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^[+-]?infinity$/i.test(trimmed)) return trimmed.startsWith('-') ? -Infinity : Infinity;
  const brackets = /^\((.*)\)$/.exec(trimmed);
  const signed = brackets === null ? trimmed : `-${brackets[1]}`;
  const front = /^([+-]?)(.*)$/.exec(signed);
  const back = front?.[1] === '' ? /^(.*?)([+-])$/.exec(signed) : null;
  const sign = back?.[2] ?? front?.[1] ?? '';
  const digits = back?.[1] ?? front?.[2] ?? '';
  const plain = /^(\d[\d,]*)?(\.\d*)?(e[+-]?\d+)?$/i.test(digits) && /\d/.test(digits.replace(/e.*/i, ''));
  return plain ? Number(`${sign}${digits.replaceAll(',', '')}`) : undefined;
}
