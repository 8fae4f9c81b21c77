import type { Message } from '../types.ts';
import type { Form } from './receiver.ts';
import { fit, wordsOf } from './words.ts';

/** How many targets are named. */
const MOST_LINES = 20;

/** Teams accepts messages of 28 kB. The rest of the bytes is for the frame of the card. */
const ROOM = 20_000;

/**
 * The body for a workflow of Teams, "When a Teams webhook request is received": an adaptive card. Its texts are in runs (TextRun), because
 * a TextBlock reads Markdown, and a name in a certificate could be a link.
 */
export function toTeams(message: Message, form: Form): string {
  const words = wordsOf(message, form);
  const sizeOf = (line: string): number => Buffer.byteLength(JSON.stringify(toParagraph(line)));
  const shown = fit(words, { most: MOST_LINES, size: { limit: ROOM, of: sizeOf } });
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    body: [toParagraph(words.title, { weight: 'bolder', size: 'medium' }), ...shown.map((line) => toParagraph(line))],
  };
  return JSON.stringify({
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }],
  });
}

function toParagraph(text: string, style: object = {}): object {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...style }] };
}
