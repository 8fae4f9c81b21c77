import { Argument } from 'commander';

/** A target of the pins file: completion offers those of the file in the current folder. */
export class TargetArgument extends Argument {}
