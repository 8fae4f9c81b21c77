/** The headings of options in the help. What several commands share has a heading of its own, and one page in docs/reference. */
export const optionGroups = {
  own: 'Options:',
  connecting: 'Connecting:',
  many: 'Many targets:',
  encrypted: 'Encrypted files:',
  script: 'The script and its call:',
} as const;
