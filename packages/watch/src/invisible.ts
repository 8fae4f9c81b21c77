/** Control characters for a terminal, invisible marks, line ends, and what is not a character at all (Unicode §23.7). */
export const INVISIBLE: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
