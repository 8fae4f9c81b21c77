/** What a person is asked on a terminal: the parts of @inquirer/prompts that are used. */
export interface Questions {
  readonly select: <Value extends string>(question: {
    readonly message: string;
    readonly choices: readonly { readonly name: string; readonly value: Value }[];
  }) => Promise<Value>;
  readonly checkbox: (question: {
    readonly message: string;
    readonly required: boolean;
    readonly pageSize: number;
    readonly choices: readonly { readonly name: string; readonly value: string; readonly checked: boolean }[];
  }) => Promise<string[]>;
  readonly input: (question: {
    readonly message: string;
    readonly default?: string;
    readonly validate?: (answer: string) => string | true;
  }) => Promise<string>;
  readonly confirm: (question: { readonly message: string; readonly default: boolean }) => Promise<boolean>;
}
