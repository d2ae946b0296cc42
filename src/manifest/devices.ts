/** Returns true if a device name matches one of `patterns`, in which one `*` matches any characters. */
export function isForDevice(patterns: readonly string[], device: string): boolean {
  return patterns.some(pattern => {
    const [start = '', end] = pattern.split('*');
    if (end === undefined) return device === pattern;
    return device.length >= start.length + end.length && device.startsWith(start) && device.endsWith(end);
  });
}
