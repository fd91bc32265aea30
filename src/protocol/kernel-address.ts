/** `@name` is written for people; the kernel wants a NUL in front of an abstract name (unix(7)). */
export function kernelAddress(address: string): string {
  return address.startsWith("@") ? `\0${address.slice(1)}` : address;
}
