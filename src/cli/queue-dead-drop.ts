import { deadLetterCommand } from './dead-letters.ts';
import { QUEUE_DEAD_DROP } from './reference/queues.ts';

export const run = deadLetterCommand(QUEUE_DEAD_DROP, 'dropped');
