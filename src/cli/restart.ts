import { moduleCommand } from './module.ts';
import { RESTART } from './reference/modules.ts';

export const run = moduleCommand(RESTART);
