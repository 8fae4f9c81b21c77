/** The address that was asked, and that there are others. */
export function describeAddress({
  address,
  otherAddresses = [],
}: {
  readonly address: string;
  readonly otherAddresses?: readonly string[] | undefined;
}): string {
  const count = otherAddresses.length + 1;
  return count === 1 ? address : `${address}, one of ${count} addresses of this name; --all-addresses asks each`;
}
