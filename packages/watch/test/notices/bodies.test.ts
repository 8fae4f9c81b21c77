import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CloudEvent } from 'cloudevents';
import { toAlerts } from '../../src/notices/alerts.ts';
import { toCloudEvent } from '../../src/notices/cloud-event.ts';
import { toMailText } from '../../src/notices/mail-text.ts';
import type { Form } from '../../src/notices/receiver.ts';
import { toSlack } from '../../src/notices/slack.ts';
import { toTeams } from '../../src/notices/teams.ts';
import { wordsOf } from '../../src/notices/words.ts';
import type { Message, StoredTransition } from '../../src/types.ts';
import { HOSTILE, message, ofTest, START, transition } from './support.ts';

const SOURCE = 'urn:certpin:watch:host';
const drift = transition({ number: 7, label: 'db.example.com:5432' });
const many = (count: number): StoredTransition[] =>
  Array.from({ length: count }, (_, index) =>
    transition({ number: index + 1, to: index % 3 === 0 ? 'unreachable' : 'drift' }),
  );

/** One target that goes from state to state: ten minutes in each. */
const path = (label: string, ...states: StoredTransition['to'][]): StoredTransition[] =>
  states.slice(1).map((to, index) => {
    return transition({ number: index + 1, label, from: states[index] ?? null, to, at: START + index * 600_000 });
  });

describe('words', () => {
  const saidOf = (one: Message, form: Form) => {
    const { title, count, line } = wordsOf(one, form);
    return { title, lines: Array.from({ length: count }, (_, index) => line(index)) };
  };
  const said = (transitions: readonly StoredTransition[], kind?: Message['kind']) =>
    saidOf(message(transitions, kind), 'whole');

  it('say one change with its state before, the reason and what to do', () => {
    assert.deepEqual(said([drift]), {
      title: 'certpin: db.example.com:5432: drift',
      lines: [
        'db.example.com:5432: drift (before: holds). the presented certificate is none of the pinned ones. Next: get the true hashes over another channel',
      ],
    });
  });

  it('say a recovery', () => {
    const back = transition({ label: 'a:1', from: 'drift', to: 'holds', reason: '29 days left' });
    assert.deepEqual(said([back]), {
      title: 'certpin: a:1: holds again',
      lines: ['a:1: holds again (before: drift). 29 days left'],
    });
  });

  it('say a digest: counts in the title, the worst first', () => {
    const { title, lines } = said(many(9));
    assert.equal(title, 'certpin: 9 changes: 6 drift, 3 unreachable');
    assert.match(lines[0] as string, /^db2\.example\.com:5432: drift/);
    assert.match(lines[8] as string, /unreachable/);
  });

  it('say a target once, however often it has changed', () => {
    const { title, lines } = said(path('a:1', 'holds', 'drift', 'holds', 'drift', 'holds'));
    assert.equal(title, 'certpin: a:1: holds again after drift');
    assert.equal(lines.length, 1);
    assert.match(lines[0] as string, /^a:1: holds again; it was drift for 20 minutes \(before: holds, 4 changes\)\. /);
  });

  const sayOne = (transitions: readonly StoredTransition[]): string | undefined =>
    said(transitions).lines[0]?.replace(/\. .*/, '');

  it('say a trouble that is over when the message is made, and for how long it was there', () => {
    const cases = [
      [path('a:1', 'holds', 'drift', 'holds'), 'holds again; it was drift for 10 minutes (before: holds, 2 changes)'],
      [
        path('a:1', 'holds', 'unreachable', 'drift', 'ends-soon', 'holds'),
        'holds again; it was drift for 10 minutes (before: holds, 4 changes)',
      ],
      [
        path('a:1', 'holds', 'drift', 'unreachable'),
        'unreachable; it was drift for 10 minutes (before: holds, 2 changes)',
      ],
      [path('a:1', null, 'drift', null), 'is not watched any more; it was drift for 10 minutes'],
      // Nothing worse has come and gone.
      [path('a:1', 'drift', 'holds'), 'holds again (before: drift)'],
      [path('a:1', 'drift', 'holds', 'drift'), 'drift (before: drift, 2 changes)'],
      [path('a:1', 'holds', 'unreachable', 'drift'), 'drift (before: holds, 2 changes)'],
      [path('a:1', 'holds', 'rotated', 'holds'), 'holds (before: holds, 2 changes)'],
      // What came in between was muted, so the time is not known.
      [
        [path('a:1', 'holds', 'drift'), path('a:1', 'rotated', 'holds')].flat(),
        'holds again; it was drift (before: holds, 2 changes)',
      ],
    ] as const;
    for (const [transitions, expected] of cases) assert.equal(sayOne(transitions), `a:1: ${expected}`);
    const [begin, end] = path('a:1', 'holds', 'drift', 'holds') as [StoredTransition, StoredTransition];
    assert.match(
      sayOne([begin, { ...end, at: begin.at - 5_000 }]) ?? '',
      /drift for less than a minute/,
      'clocks jump',
    );
    assert.match(sayOne([begin, { ...end, kind: 'unmuted' }]) ?? '', /it was drift/);
  });

  it('rank and count a target by the worst that came and went, and name it among the first', () => {
    const over = path('over:1', 'holds', 'drift', 'holds');
    const rest = Array.from({ length: 30 }, (_, index) => path(`back${index}:1`, 'unreachable', 'holds')).flat();
    const digest = [...path('mixed:1', 'holds', 'mixed'), ...rest, ...over, ...path('now:1', 'holds', 'drift')];
    const { title, lines } = said(digest);
    assert.equal(title, 'certpin: 33 changes: 1 drift, 1 holds again after drift, 1 mixed, 30 holds again');
    assert.deepEqual(
      lines.slice(0, 3).map((line) => line.split(':')[0]),
      ['now', 'over', 'mixed'],
    );
    assert.match(toSlack(message(digest), 'whole'), /over:1: holds again; it was drift for 10 minutes/);
    assert.match(toTeams(message(digest), 'whole'), /over:1: holds again; it was drift for 10 minutes/);
    assert.equal(saidOf(message(over), 'short').title, 'certpin: 1 change: 1 holds again after drift');
    assert.equal(toMailText(message(over), 'whole').subject, 'certpin: over:1: holds again after drift');
  });

  it('say reminders, remarks, and the watcher itself', () => {
    assert.equal(said([drift], 'reminder').title, 'certpin: db.example.com:5432: still drift');
    assert.equal(said(many(3), 'reminder').title, 'certpin: 3 reminders: 2 still drift, 1 still unreachable');
    const about = { from: null, to: null, reason: '' };
    const remark = transition({ ...about, label: 'a:1', kind: 'remarked', remark: 'no-backup-pin' });
    assert.equal(said([remark]).title, 'certpin: a:1: remark no-backup-pin');
    const own = { ...about, key: null, label: null };
    assert.equal(said([transition({ ...own, kind: 'network-lost' })]).title, 'certpin: the watcher: reaches no server');
    assert.equal(
      said([transition({ ...own, kind: 'network-lost' }), transition({ ...own, kind: 'network-back' })]).title,
      'certpin: the watcher: reaches its servers again',
    );
    assert.equal(
      said([transition({ ...own, kind: 'file-unreadable' })]).title,
      'certpin: the watcher: cannot read the pins file',
    );
  });

  it('say nothing but counts in the short form', () => {
    const { title, lines } = saidOf(message([transition({ label: 'secret-host:1' })]), 'short');
    assert.equal(title, 'certpin: 1 change: 1 drift');
    assert.doesNotMatch(lines.join(), /secret-host|presents/);
  });
});

describe('the CloudEvent, read by the package cloudevents', () => {
  const read = (body: string): CloudEvent<Record<string, unknown>> => new CloudEvent(JSON.parse(body), true);

  it('is valid, and has the id of the message', () => {
    const one = message([drift]);
    const event = read(toCloudEvent(one, SOURCE, 'whole'));
    assert.deepEqual(
      [event.id, event.specversion, event.type, event.subject],
      [one.id, '1.0', 'certpin.watch.changed', 'db.example.com:5432'],
    );
    assert.deepEqual(event.data, {
      counts: { drift: 1 },
      changes: [
        {
          ...{
            number: 7,
            id: drift.id,
            kind: 'changed',
            target: 'db.example.com:5432',
            targetId: null,
            servername: null,
          },
          ...{ from: 'holds', to: 'drift', remark: null, at: '2027-03-01T10:00:00.000Z', reason: drift.reason },
          ...{ endsAt: new Date(START + 864_000_000).toISOString(), addresses: [] },
        },
      ],
    });
  });

  it('is valid for a digest, a reminder, a test, the short form, and without a target', () => {
    const own = transition({ key: null, label: null, kind: 'network-lost', from: null, to: null });
    for (const one of [message(many(500)), message([drift], 'reminder'), ofTest(), message([own])]) {
      for (const form of ['whole', 'short'] as const)
        assert.equal(read(toCloudEvent(one, SOURCE, form)).validate(), true);
    }
  });

  it('counts a drift that is over when the message is made', () => {
    const over = message([...path('a:1', 'holds', 'drift', 'holds'), ...path('b:1', 'unreachable', 'holds')]);
    for (const form of ['whole', 'short'] as const) {
      const { counts } = read(toCloudEvent(over, SOURCE, form)).data as { counts: unknown };
      assert.deepEqual(counts, { 'holds again after drift': 1, 'holds again': 1 });
    }
    const { changes } = read(toCloudEvent(over, SOURCE, 'whole')).data as { changes: { from: string; to: string }[] };
    assert.deepEqual(
      changes.map(({ from, to }) => `${from}>${to}`),
      ['holds>drift', 'drift>holds', 'unreachable>holds'],
    );
  });

  it('is the same text at every attempt', () => {
    const one = message(many(3));
    assert.equal(toCloudEvent({ ...one, attempts: 5 }, SOURCE, 'whole'), toCloudEvent(one, SOURCE, 'whole'));
  });

  it('would be refused with an empty subject: the package does look', () => {
    const event = JSON.parse(toCloudEvent(message([drift]), SOURCE, 'whole'));
    assert.throws(() => read(JSON.stringify({ ...event, subject: '' })));
    assert.throws(() => read(JSON.stringify({ ...event, time: 'yesterday' })));
  });
});

interface SlackBody {
  readonly text: string;
  readonly mrkdwn: boolean;
  readonly blocks: readonly {
    readonly type: string;
    readonly text: { readonly type: string; readonly text: string };
  }[];
}

interface TeamsBody {
  readonly attachments: readonly [
    {
      readonly content: {
        readonly body: readonly {
          readonly type: string;
          readonly inlines: readonly { readonly type: string; readonly text: string }[];
        }[];
      };
    },
  ];
}

const slackOf = (one: Message): SlackBody => JSON.parse(toSlack(one, 'whole'));
const teamsOf = (one: Message): TeamsBody => JSON.parse(toTeams(one, 'whole'));

describe('Slack', () => {
  it('gets plain text alone, and a title for telephones', () => {
    const { text, blocks } = slackOf(message([drift]));
    assert.equal(text, 'certpin: db.example.com:5432: drift');
    assert.deepEqual(
      blocks.map(({ type, text: { type: kind } }) => [type, kind]),
      [
        ['header', 'plain_text'],
        ['section', 'plain_text'],
      ],
    );
  });

  it('gets one message of 5,000 changes, within its limits', () => {
    const { blocks } = slackOf(message(many(5_000)));
    assert.equal(blocks.length, 22);
    assert.equal(blocks.at(-1)?.text.text, 'and 4980 more: certpin watch status');
  });
});

describe('Teams', () => {
  it('gets runs of text, which no Markdown is read in', () => {
    const [{ content }] = teamsOf(message([drift])).attachments;
    assert.deepEqual(
      content.body.map(({ type, inlines }) => [type, ...inlines.map((run) => run.type)]),
      [
        ['RichTextBlock', 'TextRun'],
        ['RichTextBlock', 'TextRun'],
      ],
    );
  });

  it('gets one message of 5,000 changes, below 28 kB', () => {
    const wide = many(5_000).map((one) => ({ ...one, reason: '\u{1F600}'.repeat(400) }));
    const body = toTeams(message(wide), 'whole');
    assert.ok(Buffer.byteLength(body) < 28_000, String(Buffer.byteLength(body)));
    assert.match(body, /and 49\d\d more: certpin watch status/);
  });
});

describe('alerts', () => {
  const at = START + 60_000;
  const alertsOf = (...transitions: StoredTransition[]) =>
    toAlerts(message(transitions), { form: 'whole', source: SOURCE, now: at });
  const brief = (...transitions: StoredTransition[]) =>
    alertsOf(...transitions).map(({ labels, endsAt }) => [labels.alertname, labels.state, Date.parse(endsAt) > at]);

  it('begin with a trouble, and end with it', () => {
    assert.deepEqual(brief(drift), [['CertificateNotThePinnedOne', 'drift', true]]);
    assert.deepEqual(brief({ ...drift, from: 'drift', to: 'holds' }), [['CertificateNotThePinnedOne', 'drift', false]]);
    assert.deepEqual(brief({ ...drift, from: 'ends-soon', to: 'expired' }), [
      ['PinnedCertificateEndsSoon', 'ends-soon', false],
      ['CertificateNotThePinnedOne', 'expired', true],
    ]);
  });

  it('say the last word where a target has changed several times, in one request', () => {
    const flap = [
      drift,
      { ...drift, from: 'drift', to: 'holds' } as const,
      drift,
      { ...drift, from: 'drift', to: 'holds' } as const,
    ];
    assert.deepEqual(brief(...flap), [['CertificateNotThePinnedOne', 'drift', false]]);
  });

  it('begin and end with the times of what has come and gone within one message', () => {
    const later = START + 3_600_000;
    const timesOf = (transitions: readonly StoredTransition[]) =>
      toAlerts(message(transitions), { form: 'whole', source: SOURCE, now: later }).map((alert) => {
        const { labels, startsAt, endsAt } = alert;
        const minutes = [startsAt, endsAt].map((time) => (Date.parse(time) - START) / 60_000);
        return [labels.state ?? labels.alertname, ...minutes];
      });
    const stands = 120;
    assert.deepEqual(timesOf(path('a:1', 'holds', 'drift', 'holds')), [['drift', 0, 10]]);
    assert.deepEqual(timesOf(path('a:1', 'holds', 'unreachable', 'drift', 'holds')), [
      ['unreachable', 0, 10],
      ['drift', 10, 20],
    ]);
    assert.deepEqual(timesOf(path('a:1', 'holds', 'drift', 'unreachable')), [
      ['drift', 0, 10],
      ['unreachable', 10, stands],
    ]);
    assert.deepEqual(timesOf(path('a:1', 'holds', 'drift', 'holds', 'drift')), [['drift', 20, stands]]);
    // What was muted has begun nothing that could end.
    const muted = [path('a:1', 'holds', 'drift'), path('a:1', 'holds', 'drift', 'mixed', 'holds').slice(2)].flat();
    assert.deepEqual(timesOf(muted), [['drift', 0, 20]]);
    // The name of the target has changed in between: the alert has the one with which it has begun.
    const [begin, end] = path('a:1', 'holds', 'drift', 'holds') as [StoredTransition, StoredTransition];
    const renamed = toAlerts(message([begin, { ...end, label: 'b:1' }]), { form: 'whole', source: SOURCE, now: later });
    assert.deepEqual(
      renamed.map(({ labels, annotations }) => [labels.target, annotations.summary]),
      [['a:1', 'a:1: drift']],
    );
    const own = { key: null, label: null, from: null, to: null };
    assert.deepEqual(
      timesOf([
        transition({ ...own, kind: 'network-lost' }),
        transition({ ...own, kind: 'network-back', at: START + 300_000 }),
      ]),
      [['CertpinWatchReachesNobody', 0, 5]],
    );
  });

  it('have labels of ours alone: nothing that a certificate says', () => {
    for (const reason of HOSTILE) {
      const [alert] = alertsOf({ ...drift, reason });
      assert.deepEqual(alert?.labels, {
        ...{ alertname: 'CertificateNotThePinnedOne', severity: 'critical', state: 'drift' },
        ...{ target: 'db.example.com:5432', target_id: '', servername: '' },
      });
    }
  });

  it('never end before they begin, whatever the clock does', () => {
    const [alert] = alertsOf({ ...drift, at: at + 999_999, from: 'drift', to: 'holds' });
    assert.ok(Date.parse(alert?.startsAt as string) <= Date.parse(alert?.endsAt as string));
  });
});

describe('what a hostile certificate says', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const dangerous = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\ud800]/u;
  const textsOf = (value: unknown): string[] =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(textsOf)
        : [];

  for (const text of HOSTILE) {
    it(`stays text: ${JSON.stringify(text.slice(0, 40))}`, () => {
      const one = message([transition({ reason: text, label: text, key: text, servername: text, targetId: text })]);
      const bodies = [
        toCloudEvent(one, SOURCE, 'whole'),
        toSlack(one, 'whole'),
        toTeams(one, 'whole'),
        JSON.stringify(toAlerts(one, { form: 'whole', source: SOURCE, now: START })),
      ];
      for (const body of bodies) {
        for (const said of textsOf(JSON.parse(body))) {
          assert.doesNotMatch(said, dangerous);
          assert.ok([...said].length <= 1_200, `${said.length} characters`);
        }
      }
      const { subject, text: mail } = toMailText(one, 'whole');
      assert.doesNotMatch(subject, dangerous);
      assert.doesNotMatch(mail.replaceAll('\n', ''), dangerous);
      assert.doesNotMatch(JSON.parse(toSlack(one, 'whole')).text, /[<>]|&(?!amp;|lt;|gt;)/);
      for (const body of [toSlack(one, 'whole'), toTeams(one, 'whole'), mail]) {
        assert.doesNotMatch(
          body.split('(before').slice(1).join(),
          /:\/\/evil|www\.evil/,
          'no link of theirs in what people read',
        );
      }
    });
  }
});
