import { moduleCommand } from './module.ts';

export const { usage, run } = moduleCommand('stop');
