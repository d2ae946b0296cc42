import { MAX_TOPIC_LEVELS } from '../../core/limits.ts';
import { forbiddenCharacterIn } from '../../core/text/characters.ts';

/**
 * Returns the problem of an invalid topic filter as a clause, such as "is empty". Returns undefined if the
 * filter is valid. `+` must be a whole level, and `#` must be the whole last level (MQTT 3.1.1, 4.7.1).
 */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'is empty';
  const character = forbiddenCharacterIn(filter);
  if (character !== undefined) return `contains the character ${character}, which MQTT forbids`;
  const levels = filter.split('/');
  if (levels.length > MAX_TOPIC_LEVELS) return `has more than ${MAX_TOPIC_LEVELS} levels`;
  for (const [index, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || index < levels.length - 1)) {
      return 'has a # that is not the whole of its last level';
    }
    if (level.includes('+') && level !== '+') return 'has a + that is not a whole level';
  }
  return undefined;
}

/**
 * Returns the problem of an invalid topic name as a clause, such as "is empty". Returns undefined if the name
 * is valid.
 */
export function topicProblem(topic: string): string | undefined {
  if (topic === '') return 'is empty';
  const character = forbiddenCharacterIn(topic);
  if (character !== undefined) return `contains the character ${character}, which MQTT forbids`;
  if (topic.split('/').length > MAX_TOPIC_LEVELS) return `has more than ${MAX_TOPIC_LEVELS} levels`;
  return topic.includes('#') || topic.includes('+') ? 'contains a wildcard' : undefined;
}
