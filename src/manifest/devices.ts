/** Whether a device of this name is among `patterns`, in each of which one `*` may stand for any characters. */
export function isForDevice(patterns: readonly string[], device: string): boolean {
  return patterns.some(pattern => {
    const [start = '', end] = pattern.split('*');
    if (end === undefined) return device === pattern;
    return device.length >= start.length + end.length && device.startsWith(start) && device.endsWith(end);
  });
}
