import { type ActionTemplate, handler } from './template.ts';

export const sendPhoneMessage: ActionTemplate = {
  trigger: 'send-phone-message',
  version: 'v2',
  handler: 'onExecuteSendPhoneMessage',
  purpose: 'sends the code of a second factor',
  api: 'POST /messages with to and text: 202.',
  http: () =>
    handler(
      'onExecuteSendPhoneMessage',
      'event',
      `const { recipient, text } = event.message_options;
await request(event.secrets, 'POST', '/messages', { to: recipient, text }, [202]);`,
      '// No message: the user asks for another one.',
    ),
};
