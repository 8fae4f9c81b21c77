import { type ActionTemplate, handler } from './template.ts';

/** Both providers hand a notification on, and may ask for another attempt. */
const outcome = `if (status === 422) api.notification.drop('The message was refused.');`;
const failure = `api.notification.retry('The messages cannot be sent at the moment.');`;

export const customEmailProvider: ActionTemplate = {
  trigger: 'custom-email-provider',
  version: 'v1',
  handler: 'onExecuteCustomEmailProvider',
  purpose: 'sends an email; a failure is tried again, a refusal is not',
  api: 'POST /emails with from, to, subject, html and text: 202, or 422 where it will never be sent.',
  http: () =>
    handler(
      'onExecuteCustomEmailProvider',
      'event, api',
      `const { from, to, subject, html, text } = event.notification;
const email = { from, to, subject, html, text };
const { status } = await request(event.secrets, 'POST', '/emails', email, [202, 422]);
${outcome}`,
      failure,
    ),
};

export const customPhoneProvider: ActionTemplate = {
  trigger: 'custom-phone-provider',
  version: 'v1',
  handler: 'onExecuteCustomPhoneProvider',
  purpose: 'sends a message to a phone; a failure is tried again, a refusal is not',
  api: 'POST /messages with to and text: 202, or 422 where it will never be sent.',
  http: () =>
    handler(
      'onExecuteCustomPhoneProvider',
      'event, api',
      `const { recipient, as_text: text } = event.notification;
const message = { to: recipient, text };
const { status } = await request(event.secrets, 'POST', '/messages', message, [202, 422]);
${outcome}`,
      failure,
    ),
};
