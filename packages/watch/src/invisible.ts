/** Orders to a terminal, marks that nobody sees, ends of lines, and what is no character at all (Unicode §23.7). */
export const INVISIBLE: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
