import { moduleCommand } from './module.ts';
import { STOP } from './reference/modules.ts';

export const run = moduleCommand(STOP);
